import { setTimeout as sleep } from 'node:timers/promises'
import { Rm3Error } from '../../errors.ts'
import { serverAccount } from './account.ts'
import { findBinaries } from './binaries.ts'
import { initialise, majorOfData } from './initialise.ts'
import { OwnedServer } from './owned-server.ts'
import {
  clusterNameOf,
  describeOwner,
  type Lifetime,
  type Owner,
  ourselves,
  ownerIn,
} from './owner.ts'
import { type Place, preparePlace } from './place.ts'
import {
  isProcessAlive,
  readServerPid,
  releaseStalePidFile,
  signal,
  waitUntil,
} from './processes.ts'
import type { ServerOptions } from './server.ts'
import { isNoServer, isStartingOrStopping, Session, urlOf } from './session.ts'
import type { ManagedMode } from './settings.ts'

export interface ManagedOptions {
  /** the folder that is the server's; made when it is not there */
  readonly dataDir: string
  readonly mode: ManagedMode
  /** 'server' for what runs until it is told to stop, 'command' (the default) for what ends by itself */
  readonly lifetime?: Lifetime
  /** told what takes long or is not as expected, a line at a time */
  readonly log: (line: string) => void
}

export interface ManagedPostgres {
  /** of the database, for node-postgres and psql; a superuser's, without password: the socket's folder is ours alone */
  readonly url: string
  /** whether another process started the server and will stop it */
  readonly adopted: boolean
  /**
   * Ends our use of the server. When we started it, waits until no other process uses it and stops it; called again
   * meanwhile, stops it at once. Close all pools before.
   */
  stop(): Promise<void>
}

const DATABASE = 'rm3'
const RETRY_MS = 100
const END_DEADLINE_MS = 60_000
/** Another process's server may take so long until it answers at all on a busy machine. */
const PATIENCE_MS = 60_000

/**
 * A PostgreSQL of our own on `dataDir`: the running one when another process has started it, else a new one that ends
 * with this process, however it ends. The database in it is `rm3`.
 *
 * A 'server' does not rely on a server that a 'command' has started: it waits until that is gone and starts its own.
 *
 * @throws DATABASE_NOT_FOUND when no PostgreSQL is installed or it does not start; DISK_FULL
 */
export async function startManagedPostgres(options: ManagedOptions): Promise<ManagedPostgres> {
  try {
    return await adoptOrStart(options)
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOSPC') {
      throw new Rm3Error('DISK_FULL', `There is no space left for ${options.dataDir}.`, {
        cause: thrown,
      })
    }
    if (thrown instanceof Error && 'syscall' in thrown && 'path' in thrown) {
      throw new Rm3Error(
        'DATABASE_NOT_FOUND',
        `${options.dataDir} cannot be used for a database: set RM3_DATA to a folder of yours, or RM3_PG to the URL of a PostgreSQL`,
        { cause: thrown },
      )
    }
    throw thrown
  }
}

async function adoptOrStart(options: ManagedOptions): Promise<ManagedPostgres> {
  const account = serverAccount()
  const place = preparePlace(options.dataDir, account, options.log)
  const us = ourselves(options.lifetime ?? 'command')

  for (const patience = deadline(PATIENCE_MS); ; await sleep(RETRY_MS)) {
    const found = await findRunning(place, us)
    if (patience.isOver()) throw occupied(place)
    if (found === 'held') continue
    if (found !== 'none') {
      const adopted = found === 'changing' ? null : await adopt(found, place, us, options)
      if (adopted) return adopted
      patience.reset()
      continue
    }
    const binaries = findBinaries(majorOfData(place), account, place.folder)
    if (majorOfData(place) === null) await initialise(place, binaries, account, options.mode)
    const started = await start(
      { place, binaries, account, mode: options.mode, clusterName: clusterNameOf(us) },
      us,
      options.log,
    )
    if (started) return started
  }
}

/** A session on the server that answers; 'changing' while it starts or ends, 'held' while it does not answer at all. */
async function findRunning(
  place: Place,
  us: Owner,
): Promise<Session | 'none' | 'held' | 'changing'> {
  try {
    return await Session.open(place, describeOwner(us))
  } catch (thrown) {
    releaseStalePidFile(place.dataFolder)
    if (isStartingOrStopping(thrown)) return 'changing'
    if (!isProcessAlive(readServerPid(place.dataFolder) ?? 0)) return 'none'
    if (isNoServer(thrown)) return 'held'
    throw new Rm3Error('DATABASE_NOT_FOUND', `The PostgreSQL in ${place.folder} does not answer.`, {
      cause: thrown,
    })
  }
}

/** Uses the running server with its owner; null when it had to go, or has gone, instead. */
async function adopt(
  session: Session,
  place: Place,
  us: Owner,
  { log }: ManagedOptions,
): Promise<ManagedPostgres | null> {
  try {
    const owner = ownerIn((await session.identity()).clusterName)
    if (owner === null) {
      await stopOrphan(place)
      return null
    }
    if (us.lifetime === 'server' && owner.lifetime === 'command') {
      log(`Waiting for ${describeOwner(owner)}, which uses the database, to end.`)
      await session.closed
      return null
    }
    await session.takeLease()
    await session.ensureDatabase(DATABASE)
    session.letGo()
    return { url: urlOf(place, DATABASE), adopted: true, stop: () => session.close() }
  } catch (thrown) {
    await session.close().catch(() => {}) // the server has gone, and the next round starts one
    if (thrown instanceof Rm3Error) throw thrown
    return null
  }
}

/** A server whose owner was killed where nothing else could stop it. */
async function stopOrphan(place: Place): Promise<void> {
  const pid = readServerPid(place.dataFolder)
  if (pid === null) return
  signal(pid, 'SIGINT')
  await waitUntil(() => !isProcessAlive(pid), RETRY_MS, END_DEADLINE_MS)
}

/** Starts our own; null when another process holds the data. */
async function start(
  server: ServerOptions,
  us: Owner,
  log: ManagedOptions['log'],
): Promise<ManagedPostgres | null> {
  const owned = await OwnedServer.start(server, describeOwner(us), log)
  if (owned === null) return null
  const session = await Session.open(server.place, describeOwner(us))
  await session.ensureDatabase(DATABASE)
  await session.close()
  return { url: urlOf(server.place, DATABASE), adopted: false, stop: () => owned.stop() }
}

function occupied(place: Place): Rm3Error {
  const pid = readServerPid(place.dataFolder)
  return new Rm3Error(
    'DATABASE_NOT_FOUND',
    `The database in ${place.folder} is held by process ${pid}, which does not answer: end it, then try again.`,
    { pid },
  )
}

function deadline(afterMs: number): { isOver(): boolean; reset(): void } {
  let at = Date.now() + afterMs
  return {
    isOver: () => Date.now() >= at,
    reset: () => {
      at = Date.now() + afterMs
    },
  }
}
