import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/package-root.ts'
import type { WholeRevision } from '../../src/queries/whole-history.ts'

/** A page as `rm3dump` prints it. */
export interface PrintedPage {
  readonly path: string
  readonly entityId: string
  readonly revisionId: string
  readonly revisionNum: number
  readonly hidden: boolean
  readonly created: string
  readonly modified: string
  readonly touched: string
  readonly summary: Readonly<Record<string, unknown>>
  /** With -l. */
  readonly history: readonly WholeRevision[]
}

/** What a command left behind. */
export interface Ran {
  /** null when a signal ended it */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Commands as child processes, with a folder of their own and nothing else in their environment. */
export interface Shell {
  readonly folder: string
  run(program: string, args: readonly string[], more?: { input?: string; env?: Env }): Promise<Ran>
  /** Runs a command that prints JSON, of the shape the caller knows. Fails when it does not end with 0. */
  json<Printed>(program: string, args: readonly string[]): Promise<Printed>
  start(program: string, args: readonly string[], env?: Env): ChildProcess
  /** Ends what still runs, and removes the folder. */
  close(): void
}

type Env = Readonly<Record<string, string>>

/**
 * @param url the database; null for none
 * @param given the folder to be in; one of its own when not given
 */
export function openShell(url: string | null, given?: string): Shell {
  const folder = given ?? mkdtempSync(join(tmpdir(), 'rm3-cli-'))
  const children: ChildProcess[] = []
  const start = (program: string, args: readonly string[], env: Env = {}) => {
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', join(PACKAGE_ROOT, 'dist/src/cli', `${program}.js`), ...args],
      {
        cwd: folder,
        env: {
          PATH: process.env['PATH'] ?? '',
          RM3_DATA: join(folder, 'data'),
          RM3_DANGER_UNSAFE_DATABASE: 'true',
          ...(url !== null && { RM3_PG: url }),
          ...env,
        },
      },
    )
    children.push(child)
    return child
  }
  const run: Shell['run'] = (program, args, { input = '', env = {} } = {}) => {
    const child = start(program, args, env)
    child.stdin?.on('error', () => {}) // it may end without reading
    child.stdin?.end(input)
    return ended(child)
  }
  const json = async <Printed>(program: string, args: readonly string[]): Promise<Printed> => {
    const { code, stdout, stderr } = await run(program, [...args, '--json'])
    if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${code}: ${stderr}`)
    return JSON.parse(stdout) as Printed
  }
  return {
    ...{ folder, run, json, start },
    close: () => {
      // what a failed test left running; those that have ended are not touched
      for (const child of children) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Everything a child says until it ends. */
export function ended(child: ChildProcess): Promise<Ran> {
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', data => {
    stdout += data
  })
  child.stderr?.on('data', data => {
    stderr += data
  })
  return new Promise(resolve => {
    child.on('close', code => resolve({ code, stdout, stderr }))
  })
}

/** What a child has printed by the time it prints what is awaited. Fails when it ends before. */
export function said(child: ChildProcess, awaited: RegExp): Promise<string> {
  let text = ''
  return new Promise((resolve, reject) => {
    const onData = (data: Buffer) => {
      text += data
      if (awaited.test(text)) resolve(text)
    }
    child.stdout?.on('data', onData)
    child.stderr?.on('data', onData)
    child.once('close', code => reject(new Error(`ended with ${code}: ${text}`)))
  })
}
