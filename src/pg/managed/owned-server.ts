import { setTimeout as sleep } from 'node:timers/promises'
import { Rm3Error } from '../../errors.ts'
import { startError } from './initialise.ts'
import { Server, type ServerOptions } from './server.ts'
import { isNoServer, isStartingOrStopping, Session } from './session.ts'

const READY_POLL_MS = 15
/** Recovery after a crash reads all that was written since the last checkpoint. */
const READY_DEADLINE_MS = 600_000
const SLOW_START_MS = 5_000
const RESTARTS_MAX = 5
const RESTARTS_WINDOW_MS = 60_000
const OCCUPIED_POLL_MS = 100
/** A killed server's last processes hold its memory for a moment. */
const OCCUPIED_DEADLINE_MS = 10_000

type Log = (line: string) => void

/** A server that we started and shall stop. When it is killed it is started again, a few times. */
export class OwnedServer {
  readonly #options: ServerOptions
  readonly #name: string
  readonly #log: Log
  #server: Server
  #restarting: Promise<void> | null = null
  readonly #restarts: number[] = []
  #stopping: Promise<void> | null = null
  #hurry: () => void = () => {}

  private constructor(options: ServerOptions, name: string, log: Log, server: Server) {
    this.#options = options
    this.#name = name
    this.#log = log
    this.#server = server
    void this.#watch()
  }

  /**
   * Starts one and waits until it takes connections.
   *
   * @param name how we show in its list of sessions
   * @returns null when another process holds the data
   * @throws DATABASE_NOT_FOUND, DISK_FULL
   */
  static async start(options: ServerOptions, name: string, log: Log): Promise<OwnedServer | null> {
    const server = await launch(options, name, log)
    return server && new OwnedServer(options, name, log, server)
  }

  /** Waits until no other process uses the server and stops it; called again meanwhile, stops it at once. */
  stop(): Promise<void> {
    if (this.#stopping) this.#hurry()
    else this.#stopping = this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const hurried = new Promise<void>(resolve => {
      this.#hurry = resolve
    })
    await this.#restarting
    await Promise.race([this.#awaitUsers(), hurried])
    await this.#server.stop()
  }

  async #awaitUsers(): Promise<void> {
    try {
      const session = await Session.open(this.#options.place, this.#name)
      const users = await session.users()
      if (users.length > 0) {
        this.#log(`Waiting for ${users.join(', ')} to be done with the database.`)
      }
      await Promise.race([session.awaitNoLeases(), session.closed])
    } catch {
      // It does not answer, so nobody uses it.
    }
  }

  async #watch(): Promise<void> {
    await this.#server.ended
    if (this.#stopping) return
    this.#restarting = this.#restart().catch(thrown => {
      this.#log(`PostgreSQL ended and does not start again: ${thrown}`)
    })
  }

  async #restart(): Promise<void> {
    const now = Date.now()
    this.#restarts.push(now)
    const recent = this.#restarts.filter(at => at > now - RESTARTS_WINDOW_MS)
    if (recent.length > RESTARTS_MAX) {
      throw new Rm3Error('DATABASE_NOT_FOUND', `it ended ${recent.length} times in a minute`)
    }
    this.#log('PostgreSQL ended unexpectedly; starting it again.')
    for (const until = now + OCCUPIED_DEADLINE_MS; ; await sleep(OCCUPIED_POLL_MS)) {
      const server = await launch(this.#options, this.#name, this.#log)
      if (server) {
        this.#server = server
        void this.#watch()
        return
      }
      if (Date.now() > until) throw new Rm3Error('DATABASE_NOT_FOUND', 'its data are still in use')
    }
  }
}

/** A new server that takes connections; null when another one holds the data. */
async function launch(options: ServerOptions, name: string, log: Log): Promise<Server | null> {
  const server = Server.launch(options)
  const began = Date.now()
  let told = false
  while (!server.hasEnded && Date.now() < began + READY_DEADLINE_MS) {
    if (await isReady(options, name)) return server
    await sleep(READY_POLL_MS)
    if (!told && Date.now() > began + SLOW_START_MS) {
      log('PostgreSQL is still starting: it may be repeating what a crash left undone.')
      told = true
    }
  }
  await server.stop()
  const output = server.output()
  if (/lock file ".*" already exists|pre-existing shared memory/.test(output)) return null
  throw startError('PostgreSQL did not start', options.place.folder, output)
}

/** Whether the server that answers is the one of `options`. */
async function isReady({ place, clusterName }: ServerOptions, name: string): Promise<boolean> {
  try {
    const session = await Session.open(place, name)
    const identity = await session.identity()
    await session.close()
    return identity.clusterName === clusterName
  } catch (thrown) {
    if (isNoServer(thrown) || isStartingOrStopping(thrown)) return false
    throw thrown
  }
}
