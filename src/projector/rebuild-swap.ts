import { setTimeout as sleep } from 'node:timers/promises'
import { isRm3Error, Rm3Error } from '../errors.ts'
import { type Db, one } from '../pg/db.ts'
import { type Projection, tablesOf } from './define.ts'
import { grantTables } from './grant-tables.ts'
import type { Follower } from './rebuild-follow.ts'
import type { RebuildPoint } from './rebuild-load.ts'
import { NEW, OLD } from './rebuild-plan.ts'
import { renamingTables } from './rename-tables.ts'
import { makeWriters } from './writers.ts'

/** How long a swap waits for one who reads a table, and with it every writer; then it gives way and comes again. */
const LOCK_MS = 50
const PAUSE_MS = 100
const PAUSE_MAX_MS = 2_000
/** How long it tries: a transaction that has read the tables may take long. */
const TRY_MS = 10 * 60_000
/** Events that are applied while writers wait: few, or more when so many are written that it does not get to few. */
const LAST_EVENTS = 30
const LAST_EVENTS_MAX = 200
const ROUNDS_MAX = 10
/** Events that are folded while writers wait, of streams that were not written during the rebuild before. */
const WHOLE_EVENTS_MAX = 2_000

export interface Swap {
  /** Of the connection that writes, in no transaction. */
  readonly db: Db
  readonly follower: Follower
  /** Those that are swapped. */
  readonly projections: readonly Projection[]
  /** All of the site, where the function that writes rows has to be made anew; else null. */
  readonly writersOf: readonly Projection[] | null
  readonly signal?: AbortSignal | undefined
  readonly reached?: ((point: RebuildPoint) => void) | undefined
}

/**
 * Carries the new tables to the end of the log and puts them in the place of the live ones: one short transaction, in which nobody
 * appends. The old tables stay, with other names.
 *
 * @returns the position at which it happened
 * @throws LOG_BUSY when somebody else holds a table for ten minutes
 */
export async function swapTables(swap: Swap): Promise<number> {
  const until = performance.now() + TRY_MS
  for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS)) {
    await catchUp(swap)
    swap.reached?.('followed')
    try {
      const position = await swap.db.transaction(db => swapIn(db, swap))
      if (position !== null) return position
    } catch (thrown) {
      swap.follower.forget()
      if (!isBusy(thrown)) throw thrown
      if (performance.now() > until) {
        throw new Rm3Error('LOG_BUSY', 'a transaction holds a table that is to be swapped', {
          cause: thrown,
        })
      }
    }
    await sleep(pauseMs, undefined, { signal: swap.signal })
  }
}

/** Applies events to the new tables until few are left. */
export async function catchUp({
  db,
  follower,
  signal,
}: Pick<Swap, 'db' | 'follower' | 'signal'>): Promise<void> {
  for (let round = 1; ; round++) {
    signal?.throwIfAborted()
    const { lag } = await one<{ lag: number }>(db, LAG)
    await db
      .transaction(inside => advance(inside, follower))
      .catch(thrown => {
        follower.forget()
        throw thrown
      })
    if (lag <= (round < ROUNDS_MAX ? LAST_EVENTS : LAST_EVENTS_MAX)) return
  }
}

const LAG = `select h.position - r.position as lag from rebuilds r, log_head h`

/** @returns the position reached; null when it would take too long */
async function advance(
  db: Db,
  follower: Follower,
  wholeEventsMax?: number,
): Promise<number | null> {
  const { position } = await one<{ position: number }>(db, 'select position from rebuilds')
  const reached = await follower.advance(db, position, wholeEventsMax)
  if (reached !== null) await db.rows('update rebuilds set position = $1::bigint', [reached])
  return reached
}

/** @returns null when there is too much left to be done while writers wait */
async function swapIn(db: Db, swap: Swap): Promise<number | null> {
  const { follower, projections, writersOf, reached } = swap
  await db.script(`set local lock_timeout = ${LOCK_MS}; set constraints all deferred`)
  for (const projection of projections) await grantTables(db, projection, NEW)
  const tables = projections.flatMap(tablesOf)
  const aside = await renamingTables(db, tables, { from: '', to: OLD })
  const into = await renamingTables(db, tables, { from: NEW, to: '' })
  const head = await one<{ position: number }>(db, 'select position from log_head for update')
  const position = await advance(db, follower, WHOLE_EVENTS_MAX)
  if (position !== head.position) return null
  await db.script(`${aside.script}\n${into.script}`)
  if (writersOf !== null) await makeWriters(db, writersOf)
  for (const projection of projections) {
    const { name, version, mode } = projection
    const own = tablesOf(projection)
    await db.rows(RECORD, [name, version, mode, position, own, aside.isWhole])
  }
  await db.rows(`update rebuilds set phase = 'done', ended = now()`)
  reached?.('swapping')
  return position
}

/** What the old tables hold is written down, should they come back. Who follows them has an older lease from here on, and reads anew where it is. */
const RECORD = `insert into checkpoints (kind, name, version, mode, state, epoch, position, tables)
  select 'projection', $1::text, $2::int, $3::text, 'live', epoch, $4::bigint, $5::text[] from log_head
  on conflict (kind, name) do update
  set kept = case when $6::boolean then json_build_object('version', checkpoints.version,
      'position', case checkpoints.mode when 'inline' then excluded.position else checkpoints.position end,
      'epoch', case checkpoints.mode when 'inline' then excluded.epoch else checkpoints.epoch end) end,
    tables = excluded.tables, version = excluded.version, mode = excluded.mode, epoch = excluded.epoch, position = excluded.position,
    state = case when checkpoints.state = 'paused' then 'paused' else 'live' end,
    lease_token = checkpoints.lease_token + 1, lease_owner = null, lease_until = null, tries = 0, retry_at = null,
    error = null, error_position = null, updated = now()`

function isBusy(thrown: unknown): boolean {
  return isRm3Error(thrown, 'LOG_BUSY') || isDeadlock(thrown)
}

function isDeadlock(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown as { code?: unknown }).code === '40P01'
}
