import { evolve } from '../content/evolve.ts'
import { stateOfKeyframe } from '../content/kept-state.ts'
import type { State } from '../content/state.ts'
import { type Recorded, upcast } from '../content/upcast.ts'
import { readStream } from '../log/read.ts'
import type { Db } from '../pg/db.ts'

/** More events than there can be between keyframes: there are fewer keyframes only while they are being built anew. */
const EVENTS_MAX = 256

/** Of each stream the keyframe, which has a body and no event, and the events since. */
const STATES = `with wanted as materialized (
    select w.stream, w.upto, k.revision, k.body from unnest($1::uuid[], $2::int[]) as w(stream, upto)
    left join lateral (select k.revision, k.body from keyframes k
      where k.stream = w.stream and k.revision <= w.upto order by k.revision desc limit 1) k on true
  )
  select stream, revision, body, null::bigint as position, null::uuid as "eventId", null as type, null::smallint as version,
    null as actor, null::timestamptz as at, null as note, null as data from wanted where body is not null
  union all
  select l.* from wanted w cross join lateral (
    select stream, revision, null::bytea, position, event_id, type, version, actor, at, note, data::text from events
    where stream = w.stream and revision > coalesce(w.revision, 0) and revision <= w.upto
    order by revision limit ${EVENTS_MAX}) l
  order by stream, revision`

type KeyframeOrEvent = Recorded & { readonly body: Buffer | null }

/**
 * The states of many streams, each at a revision, in one statement: the keyframe there or before and the events since.
 *
 * @param wanted revisions by stream, from 1, which are in the log
 * @throws LOG_DAMAGED when a stream's events cannot be folded
 */
export async function readStates(
  db: Db,
  wanted: ReadonlyMap<string, number>,
): Promise<Map<string, State>> {
  const states = new Map<string, State>()
  if (wanted.size === 0) return states
  const rows = await db.rows<KeyframeOrEvent>(STATES, [[...wanted.keys()], [...wanted.values()]])
  for (const row of rows) {
    const state = states.get(row.stream) ?? null
    states.set(row.stream, row.body ? stateOfKeyframe(row.body) : evolve(state, upcast(row)))
  }
  for (const [stream, revision] of wanted) {
    const begun = states.get(stream) ?? null
    if (begun?.revision !== revision) states.set(stream, await readOn(db, stream, revision, begun))
  }
  return states
}

/** The rest of a stream that has no keyframe for long. */
async function readOn(
  db: Db,
  stream: string,
  revision: number,
  begun: State | null,
): Promise<State> {
  let state = begun
  while (state?.revision !== revision) {
    const events = await readStream(db, stream, { from: (state?.revision ?? 0) + 1, to: revision })
    if (events.length === 0) throw new Error(`the stream ${stream} has no revision ${revision}`)
    for (const event of events) state = evolve(state, upcast(event))
  }
  return state
}
