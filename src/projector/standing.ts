import type { Db } from '../pg/db.ts'

/** How far a projection is. */
export interface ProjectionStanding {
  readonly name: string
  readonly version: number
  readonly mode: 'inline' | 'async'
  /** `building`: not at the log's end yet since it was made, retried or resumed. */
  readonly state: 'building' | 'live' | 'paused' | 'failed'
  /** Everything up to here is in the rows. */
  readonly position: number
  /** Events between there and the end of the log. */
  readonly lag: number
  /** How long the first of them has waited; 0 without any. */
  readonly lagSeconds: number
  /** What stopped it, or what goes wrong just now; and at which event. */
  readonly error: string | null
  readonly errorPosition: number | null
  /** Who follows; null when nobody does. */
  readonly owner: string | null
  /** Positions that an operator had it leave out, ascending. */
  readonly skipped: readonly number[]
}

const STANDINGS = `select c.name, c.version, c.mode, c.state, p.position, h.position - p.position as lag,
    coalesce((select greatest(0, extract(epoch from now() - recorded_at)::float8) from log where position = p.position + 1), 0) as "lagSeconds",
    c.error, c.error_position as "errorPosition", case when c.lease_until > now() then c.lease_owner end as owner,
    array(select s.position::float8 from skipped_events s where s.name = c.name order by s.position) as skipped
  from checkpoints c
  cross join log_head h
  cross join lateral (select case when c.mode = 'inline' then h.position else c.position end as position) p
  where c.kind = 'projection'
  order by c.name`

/** All projections of the site, by name; also those of plugins that are not found any more. */
export async function listStandings(db: Db): Promise<ProjectionStanding[]> {
  return db.rows<ProjectionStanding>(STANDINGS)
}

const REACHED = `select coalesce(bool_and(position >= $1::bigint), true) as reached,
    coalesce(bool_or(position < $1::bigint and state in ('paused', 'failed')), false) as stuck
  from checkpoints where kind = 'projection' and mode = 'async'`

const LOOK_MS = 25

/**
 * Waits until all async projections are at a position.
 *
 * @returns whether they are; false after `timeoutMs`, and at once when one of them is paused or has failed before it
 */
export async function untilReached(db: Db, position: number, timeoutMs: number): Promise<boolean> {
  const until = performance.now() + timeoutMs
  for (;;) {
    const [row] = await db.rows<{ reached: boolean; stuck: boolean }>(REACHED, [position])
    if (row === undefined || row.reached) return true
    if (row.stuck || performance.now() + LOOK_MS > until) return false
    await new Promise(resolve => setTimeout(resolve, LOOK_MS))
  }
}
