import type { Wakeups } from '../log/wakeups.ts'
import type { Db } from '../pg/db.ts'
import { Bell } from './bell.ts'
import { releaseLease, takeLease } from './checkpoint.ts'
import type { Projection } from './define.ts'
import { Follower } from './follower.ts'

export interface FollowOptions {
  /** As the role that may write the tables of async projections; it needs a connection for each. */
  readonly db: Db
  /** Of all, those that are async are followed. */
  readonly projections: readonly Projection[]
  /** Tells when the log has grown; null: only looking every second. */
  readonly wakeups: Wakeups | null
  /** Names this process to people: host and process id. */
  readonly owner: string
  /** A line about what goes wrong. */
  readonly say: (line: string) => void
}

export interface Following {
  /** Lets the batches under way end and gives all leases back. */
  stop(): Promise<void>
}

/** How often those look who have no lease, and the pauses after trouble with the database. */
const POLL_MS = 1_000
const TROUBLE_MS = 1_000
const TROUBLE_MAX_MS = 30_000

/**
 * Follows the log with all async projections, each as long as no other process does. Any number of processes may: the rows of a batch
 * and the checkpoint are one transaction, which counts only for whoever has the lease.
 */
export function startFollowing(options: FollowOptions): Following {
  const ending = new AbortController()
  const loops = options.projections
    .filter(({ mode }) => mode === 'async')
    .map(projection => follow(projection, options, ending.signal))
  return {
    stop: async () => {
      ending.abort()
      await Promise.all(loops)
    },
  }
}

/** Never rejects. */
async function follow(
  projection: Projection,
  options: FollowOptions,
  signal: AbortSignal,
): Promise<void> {
  const bell = new Bell(options.wakeups, signal)
  let pauseMs = TROUBLE_MS
  while (!signal.aborted) {
    try {
      await followOnce(projection, options, bell, signal)
      pauseMs = TROUBLE_MS
      await bell.pause(POLL_MS)
    } catch (thrown) {
      options.say(`the projection ${projection.name}: ${(thrown as Error).message}`)
      await bell.pause(pauseMs)
      pauseMs = Math.min(2 * pauseMs, TROUBLE_MAX_MS)
    }
  }
  bell.close()
}

/** Follows for as long as the lease lasts; returns at once when there is none to be had. @throws what the database is in trouble with */
async function followOnce(
  projection: Projection,
  { db, owner, say }: FollowOptions,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> {
  const lease = await takeLease(db, projection, owner)
  if (lease === null) return
  try {
    const follower = await Follower.open({ db, projection, bell, signal, say }, lease)
    await follower.run()
  } finally {
    await releaseLease(db, lease).catch(() => {}) // it ends by itself
  }
}
