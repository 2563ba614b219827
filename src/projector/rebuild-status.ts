import { type Db, find } from '../pg/db.ts'
import type { Drift } from './rebuild-compare.ts'

/** How the rebuild that is under way goes, or how the last one went. */
export interface RebuildStatus {
  readonly phase: 'load' | 'follow' | 'done'
  readonly projections: readonly string[]
  /** Events loaded of all that are to be; equal once all are. */
  readonly events: number
  readonly total: number
  /** Until all are loaded, by the time that the ones so far have taken; null when it cannot be told. */
  readonly secondsLeft: number | null
  readonly started: string
  readonly ended: string | null
  /** What was not as the log has it in the old tables; null when that is not known. */
  readonly drift: readonly Drift[] | null
}

type Row = Omit<RebuildStatus, 'secondsLeft'> & { readonly seconds: number }

const STATUS = `select r.phase, array(select p->>'name' from json_array_elements(r.plan->'projections') p) as projections,
    case when r.phase = 'load' then (select coalesce(sum(events), 0)::bigint from rebuild_chunks where done) else r.loaded_to end as events,
    r.loaded_to as total, r.started, r.ended, r.drift, extract(epoch from now() - r.started)::float8 as seconds
  from rebuilds r`

/** @returns null before the first rebuild */
export async function findRebuildStatus(db: Db): Promise<RebuildStatus | null> {
  const row = await find<Row>(db, STATUS)
  if (row === null) return null
  const { seconds, ...status } = row
  const { phase, events, total } = status
  const isLoading = phase === 'load' && events > 0
  const secondsLeft = isLoading ? Math.ceil(((total - events) * seconds) / events) : null
  return { ...status, secondsLeft }
}
