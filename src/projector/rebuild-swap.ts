import { setTimeout as sleep } from 'node:timers/promises'
import { isRm3Error, Rm3Error } from '../errors.ts'
import { type Db, one } from '../pg/db.ts'
import { type Projection, tablesOf } from './define.ts'
import { grantTables } from './grant-tables.ts'
import type { Follower } from './rebuild-follow.ts'
import type { RebuildPoint } from './rebuild-load.ts'
import { NEW, OLD } from './rebuild-plan.ts'
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
  const head = await one<{ position: number }>(db, 'select position from log_head for update')
  const position = await advance(db, follower, WHOLE_EVENTS_MAX)
  if (position !== head.position) return null
  await db.script(await renaming(db, projections.flatMap(tablesOf)))
  if (writersOf !== null) await makeWriters(db, writersOf)
  for (const projection of projections) {
    const { name, version, mode } = projection
    await grantTables(db, projection)
    await db.rows(RECORD, [name, version, mode, position])
  }
  await db.rows(`update rebuilds set phase = 'done', ended = now()`)
  reached?.('swapping')
  return position
}

/** Who follows the old tables has an older lease from here on, and reads anew where it is. */
const RECORD = `insert into checkpoints (kind, name, version, mode, state, epoch, position)
  select 'projection', $1::text, $2::int, $3::text, 'live', epoch, $4::bigint from log_head
  on conflict (kind, name) do update
  set version = excluded.version, mode = excluded.mode, epoch = excluded.epoch, position = excluded.position,
    state = case when checkpoints.state = 'paused' then 'paused' else 'live' end,
    lease_token = checkpoints.lease_token + 1, lease_owner = null, lease_until = null, tries = 0, retry_at = null,
    error = null, error_position = null, updated = now()`

const INDEXES = `select c.relname::text as table, i.relname::text as index from pg_class c
  join pg_index x on x.indrelid = c.oid join pg_class i on i.oid = x.indexrelid
  where c.oid in (select to_regclass(name) from unnest($1::text[]) as t(name)) order by 1, 2`

const CHECKS = `select t.name as table, k.conname::text as constraint from unnest($1::text[]) as t(name)
  join pg_constraint k on k.conrelid = to_regclass(t.name) and k.contype in ('c', 'f') and starts_with(k.conname, t.name)`

/** The script that renames live tables and new ones, with their indexes, whose names tell of constraints. */
async function renaming(db: Db, tables: readonly string[]): Promise<string> {
  const made = tables.map(table => `${table}${NEW}`)
  const found = await db.rows<{ table: string; index: string }>(INDEXES, [[...tables, ...made]])
  const aside: string[] = []
  const into: string[] = []
  for (const { table, index } of found) {
    if (table.endsWith(NEW)) {
      const live = table.slice(0, -NEW.length)
      into.push(`alter index ${index} rename to ${index.replace(table, live)};`)
    } else {
      aside.push(`alter index "${index}" rename to "${oldName(index, table)}";`)
    }
  }
  const checks = await db.rows<{ table: string; constraint: string }>(CHECKS, [made])
  for (const { table, constraint } of checks) {
    const name = constraint.replace(table, table.slice(0, -NEW.length))
    into.push(`alter table ${table} rename constraint ${constraint} to ${name};`)
  }
  const locked = await db.rows<{ name: string }>(
    'select name from unnest($1::text[]) as t(name) where to_regclass(name) is not null',
    [tables],
  )
  const live = locked.map(({ name }) => name)
  return [
    ...(live.length > 0 ? [`lock table ${live.join(', ')} in access exclusive mode;`] : []),
    ...aside,
    ...live.map(table => `alter table ${table} rename to ${table}${OLD};`),
    ...into,
    ...tables.map(table => `alter table ${table}${NEW} rename to ${table};`),
  ].join('\n')
}

/** Also of an index that somebody made by hand, whose name is his. */
function oldName(index: string, table: string): string {
  return index.startsWith(table)
    ? index.replace(table, `${table}${OLD}`)
    : `${table}${OLD}_${index}`
}

function isBusy(thrown: unknown): boolean {
  return isRm3Error(thrown, 'LOG_BUSY') || isDeadlock(thrown)
}

function isDeadlock(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown as { code?: unknown }).code === '40P01'
}
