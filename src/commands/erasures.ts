import { Rm3Error } from '../errors.ts'
import type { Db } from '../pg/db.ts'
import { type Eraser, type ErasureRequest, eraseOfEntity, rebuildOrdered } from './erase.ts'

/** An erasure that was done: what a backup has to say of it, so that it is done again when an older one is loaded. */
export interface Erasure {
  /** Of the `Erased` event. */
  readonly eventId: string
  readonly entityId: string
  readonly position: number
  readonly actor: string
  readonly at: string
  readonly reason: string | null
  /** Whether all that the entity ever was has gone, also what an older backup knows besides the events. */
  readonly whole: boolean
  /** The ids of the events that said it. */
  readonly events: readonly string[]
}

const ERASURES = `select e.event_id as "eventId", e.stream as "entityId", e.position, e.actor, e.at, e.note as reason,
    coalesce((e.data->>'whole')::boolean, false) as whole,
    array(select l.event_id from json_array_elements_text(e.data->'revisions') r
      join log l on l.stream = e.stream and l.revision = r::int order by l.revision)::text[] as events
  from events e where e.type = 'Erased' and e.position > $1::bigint order by e.position limit $2::int`
const PART = 1_000

/** All erasures of a site, in their order. They say nothing of what was erased. */
export async function listErasures(db: Db): Promise<Erasure[]> {
  const erasures: Erasure[] = []
  for (;;) {
    const part = await db.rows<Erasure>(ERASURES, [erasures.at(-1)?.position ?? 0, PART])
    erasures.push(...part)
    if (part.length < PART) return erasures
  }
}

const REVISIONS = `select l.revision from log l
  where l.stream = $1::uuid and l.event_id = any($2::uuid[]) and l.salt is not null order by l.revision`

/**
 * Does erasures again on a site that was loaded from a backup older than they are. Those of entities that the site does not have, and
 * what is erased already, are passed over: doing it twice changes nothing the second time.
 *
 * @returns those that were done, with their positions in this log
 */
export async function applyErasures(
  eraser: Eraser,
  erasures: readonly Erasure[],
): Promise<Erasure[]> {
  const applied: Erasure[] = []
  for (const erasure of erasures) {
    const { entityId, whole, actor, at, reason } = erasure
    const rows = await eraser.site.db.rows<{ revision: number }>(REVISIONS, [
      entityId,
      erasure.events,
    ])
    const wanted = whole ? 'whole' : new Set(rows.map(({ revision }) => revision))
    const request: ErasureRequest = {
      ...{ entityId, wanted, actor, at, reason },
      door: 'import',
      keepsShown: false,
    }
    const done = await eraseOfEntity(eraser, request).catch(thrown => {
      if (thrown instanceof Rm3Error && thrown.code === 'PAGE_NOT_FOUND') return null
      throw thrown
    })
    if (done !== null) applied.push({ ...erasure, position: done.position })
  }
  if (applied.length > 0) await rebuildOrdered(eraser)
  return applied
}
