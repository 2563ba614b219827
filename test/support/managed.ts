import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import pg from 'pg'
import { readServerPid } from '../../src/pg/managed/processes.ts'

const HOLDER = join(import.meta.dirname, 'hold-postgres.js')

/** Another process that uses the managed PostgreSQL of a folder. */
export interface Holder {
  readonly child: ChildProcess
  readonly url: string
  readonly adopted: boolean
  /** of the server */
  readonly serverPid: number
}

/** Starts such a process and waits until it has the server. */
export async function hold(
  folder: string,
  lifetime = 'command',
  env: Record<string, string> = {},
): Promise<Holder> {
  const child = spawn(process.execPath, ['--enable-source-maps', HOLDER, folder, lifetime], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', data => resolve(String(data)))
    child.once('exit', code => reject(new Error(`the holder ended with ${code}`)))
  })
  const { url, adopted } = JSON.parse(line) as { url: string; adopted: boolean }
  return { child, url, adopted, serverPid: readServerPid(join(folder, 'data')) ?? 0 }
}

/** Lets it end by itself. */
export async function release({ child }: Holder): Promise<void> {
  child.stdin?.end()
  if (child.exitCode === null) await new Promise(resolve => child.once('exit', resolve))
}

/** The rows of one statement on a connection of its own. */
export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // a killed server is part of the tests
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}
