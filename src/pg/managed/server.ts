import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Account } from './account.ts'
import { type Binaries, binariesEnvironment } from './binaries.ts'
import { giveTo, type Place } from './place.ts'
import { signal, waitUntil } from './processes.ts'
import { type ManagedMode, settingsArguments } from './settings.ts'
import { tieByPipe, tiedCommand } from './tie.ts'

const LOG_BYTES_MAX = 1_000_000
const STOP_DEADLINE_MS = 60_000
const STOP_POLL_MS = 20

/** All that a server needs to start. */
export interface ServerOptions {
  readonly place: Place
  readonly binaries: Binaries
  readonly account: Account | null
  readonly mode: ManagedMode
  /** shown by `show cluster_name`; at most 63 ASCII characters */
  readonly clusterName: string
}

/** A PostgreSQL that is our child process, and ends when we do, however we end. */
export class Server {
  readonly pid: number
  /** settles when the process has ended */
  readonly ended: Promise<void>
  hasEnded = false
  readonly #child: ChildProcess
  readonly #logFile: string
  readonly #logStart: number

  private constructor(child: ChildProcess, logFile: string, logStart: number) {
    this.#child = child
    this.#logFile = logFile
    this.#logStart = logStart
    this.pid = child.pid ?? 0
    this.ended = new Promise(resolve => {
      const end = () => {
        this.hasEnded = true
        resolve()
      }
      child.once('error', end)
      child.once('exit', end)
    })
    child.unref()
  }

  /** Starts the process; whether it takes connections is for the caller to try. */
  static launch(options: ServerOptions): Server {
    const { place, binaries, account } = options
    const log = openLog(place.logFile, account)
    const program = join(binaries.folder, 'postgres')
    const tied = tiedCommand('INT', program, argumentsOf(options))
    const child = spawn(tied.program, tied.arguments, {
      env: binariesEnvironment(binaries.libraryPath),
      stdio: ['ignore', log.file, log.file],
      cwd: place.folder,
      // A Ctrl-C at the terminal is for us: we stop the server when our own work is done.
      detached: true,
      ...(account && { uid: account.uid, gid: account.gid }),
    })
    closeSync(log.file)
    if (!tied.isTied && child.pid !== undefined) tieByPipe(child)
    return new Server(child, place.logFile, log.start)
  }

  /** What this run of the server has written to its log. */
  output(): string {
    return readFileSync(this.#logFile).subarray(this.#logStart).toString('utf8')
  }

  /** Ends it: sessions are cut off, what is committed is on disk. Kills it when that takes over a minute. */
  async stop(): Promise<void> {
    if (this.hasEnded) return
    this.#child.ref()
    signal(this.pid, 'SIGINT')
    if (await waitUntil(() => this.hasEnded, STOP_POLL_MS, STOP_DEADLINE_MS)) return
    signal(this.pid, 'SIGQUIT')
    await this.ended
  }
}

function argumentsOf({ place, mode, clusterName }: ServerOptions): string[] {
  const settings = {
    unix_socket_directories: place.socketFolder,
    cluster_name: clusterName,
  }
  return ['-D', place.dataFolder, ...settingsArguments(mode, settings)]
}

function openLog(path: string, account: Account | null): { file: number; start: number } {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > LOG_BYTES_MAX) renameSync(path, `${path}.1`)
  const file = openSync(path, 'a', 0o600)
  giveTo(account, path)
  return { file, start: size > LOG_BYTES_MAX ? 0 : size }
}
