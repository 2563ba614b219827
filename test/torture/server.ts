import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { serverAccount } from '../../src/pg/managed/account.ts'
import { findBinaries } from '../../src/pg/managed/binaries.ts'
import { initialise } from '../../src/pg/managed/initialise.ts'
import { type Place, preparePlace } from '../../src/pg/managed/place.ts'
import { isProcessAlive, releaseStalePidFile, signal } from '../../src/pg/managed/processes.ts'
import { Server, type ServerOptions } from '../../src/pg/managed/server.ts'
import { urlOf } from '../../src/pg/managed/session.ts'

const POLL_MS = 20
const START_DEADLINE_MS = 60_000

/** A PostgreSQL of its own with fsync on, that can be killed and started again. */
export class TortureServer {
  readonly url: string
  readonly #folder: string
  readonly #options: ServerOptions
  #server: Server

  private constructor(folder: string, options: ServerOptions, server: Server) {
    this.#folder = folder
    this.#options = options
    this.#server = server
    this.url = urlOf(options.place, 'postgres')
  }

  static async start(): Promise<TortureServer> {
    const folder = mkdtempSync(join(tmpdir(), `rm3-test-${process.pid}-`))
    chmodSync(folder, 0o755) // the account that PostgreSQL runs as must get in
    const account = serverAccount()
    const place: Place = preparePlace(join(folder, 'pg'), account, () => {})
    const binaries = findBinaries(null, account, place.folder)
    await initialise(place, binaries, account, 'durable')
    const options = { place, binaries, account, mode: 'durable', clusterName: 'torture' } as const
    const server = new TortureServer(folder, options, Server.launch(options))
    await server.#ready()
    return server
  }

  /** Kills the server and each of its processes at once, and waits until all are gone. */
  async kill(): Promise<void> {
    const { pid } = this.#server
    signal(pid, 'SIGSTOP') // so that it starts no more
    const processes = [pid, ...childrenOf(pid)]
    for (const one of processes) signal(one, 'SIGKILL')
    await this.#server.ended
    while (processes.some(isProcessAlive)) await sleep(POLL_MS)
  }

  /** Starts it again after a kill; what was committed is recovered before it answers. */
  async restart(): Promise<void> {
    releaseStalePidFile(this.#options.place.dataFolder)
    this.#server = Server.launch(this.#options)
    await this.#ready()
  }

  async stop(): Promise<void> {
    await this.#server.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #ready(): Promise<void> {
    for (const until = Date.now() + START_DEADLINE_MS; ; await sleep(POLL_MS)) {
      if (this.#server.hasEnded) this.#server = Server.launch(this.#options)
      if (await answers(this.url)) return
      if (Date.now() > until) throw new Error(`no server: ${this.#server.output()}`)
    }
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

/** Where there is no /proc they are left to notice by themselves that the server is gone. */
function childrenOf(parent: number): number[] {
  try {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name) && parentOf(name) === parent)
      .map(Number)
  } catch {
    return []
  }
}

function parentOf(pid: string): number {
  try {
    return Number(
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) \S /s, '')
        .split(' ')[0],
    )
  } catch {
    return 0 // ended meanwhile
  }
}
