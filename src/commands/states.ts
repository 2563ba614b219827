import { LRUCache } from 'lru-cache'
import { stateOfKeyframe } from '../../projections/keyframes.ts'
import { evolve, roughBytes } from '../content/evolve.ts'
import type { State } from '../content/state.ts'
import { type Recorded, upcast } from '../content/upcast.ts'
import { readStream } from '../log/read.ts'
import type { Db } from '../pg/db.ts'

const NEWEST = 2_147_483_647
/** More events than there can be between keyframes: there are fewer keyframes only while they are being built anew. */
const EVENTS_MAX = 1_000

/** The keyframe, if there is one, comes first: it has a body and no event. The event at the revision itself is always there. */
const KEYFRAME_AND_EVENTS = `with keyframe as (
    select revision, body from keyframes where stream = $1::uuid and revision < $2::int order by revision desc limit 1)
  select revision, body, null::bigint as position, null::uuid as "eventId", null::uuid as stream, null as type,
    null::smallint as version, null as actor, null::timestamptz as at, null::timestamptz as "recordedAt", null as note, null as data from keyframe
  union all
  (select revision, null, position, event_id, stream, type, version, actor, at, recorded_at, note, data::text from log
    where stream = $1::uuid and revision > coalesce((select revision from keyframe), 0) and revision <= $2::int
    order by revision limit ${EVENTS_MAX})
  order by revision`

/**
 * A stream's state at a revision, or at its newest: the keyframe before it and the events since, at most `KEYFRAME_EVENTS` of them,
 * in one statement.
 *
 * @returns null when the stream has no event up to there
 * @throws LOG_DAMAGED when its events cannot be folded
 */
export async function readState(
  db: Db,
  stream: string,
  revision: number = NEWEST,
): Promise<State | null> {
  const rows = await db.rows<KeyframeOrEvent>(KEYFRAME_AND_EVENTS, [stream, revision])
  return foldRows(db, stream, revision, rows)
}

/** A revision of a stream: the state there and the event that made it. null when there is no such revision. */
export async function readRevision(
  db: Db,
  stream: string,
  revision: number,
): Promise<{ state: State; event: Recorded & { recordedAt: string } } | null> {
  const rows = await db.rows<KeyframeOrEvent>(KEYFRAME_AND_EVENTS, [stream, revision])
  const event =
    rows.length < EVENTS_MAX ? rows.at(-1) : (await readStream(db, stream, { from: revision }))[0]
  if (event === undefined || event.revision !== revision) return null
  const state = await foldRows(db, stream, revision, rows)
  return state === null ? null : { state, event }
}

type KeyframeOrEvent = Recorded & { readonly recordedAt: string; readonly body: Buffer | null }

async function foldRows(
  db: Db,
  stream: string,
  revision: number,
  rows: readonly KeyframeOrEvent[],
): Promise<State | null> {
  let state: State | null = null
  for (const row of rows) {
    state = row.body === null ? evolve(state, upcast(row)) : stateOfKeyframe(row.body)
  }
  return rows.length < EVENTS_MAX ? state : readRest(db, stream, revision, state)
}

/** What is left of a stream without keyframes. */
async function readRest(
  db: Db,
  stream: string,
  revision: number,
  begun: State | null,
): Promise<State | null> {
  let state = begun
  for (;;) {
    const events = await readStream(db, stream, { from: (state?.revision ?? 0) + 1, to: revision })
    if (events.length === 0) return state
    for (const event of events) state = evolve(state, upcast(event))
  }
}

const STATES_MAX = 2_000
const STATES_MAX_BYTES = 64 * 1024 * 1024

/**
 * Newest states of streams that were written lately, so that a save need not read what the last one knew. A state may be
 * behind: an append names the revision it expects, so whoever relied on an old one is refused, forgets it and reads again.
 */
export class States {
  readonly #cache = new LRUCache<string, State>({
    max: STATES_MAX,
    maxSize: STATES_MAX_BYTES,
    sizeCalculation: roughBytes,
  })

  readonly #paths = new LRUCache<string, string>({ max: STATES_MAX })

  /** The entity that was live at a path when it was last written here, without asking the database; or null. */
  rememberedIdAt(path: string): string | null {
    const id = this.#paths.get(path)
    const state = id === undefined ? null : this.remembered(id)
    return state?.kind === 'entity' && state.state === 'live' && state.path === path
      ? state.id
      : null
  }

  /** What is known of a stream without asking the database, which may be behind; or null. */
  remembered(stream: string): State | null {
    return this.#cache.get(stream) ?? null
  }

  /** A stream's state as the database has it, kept for later. */
  async newest(db: Db, stream: string): Promise<State | null> {
    const state = await readState(db, stream)
    if (state !== null) this.keep(stream, state)
    return state
  }

  keep(stream: string, state: State): void {
    const known = this.#cache.get(stream)
    if (known === undefined || known.revision < state.revision) this.#cache.set(stream, state)
    if (state.kind === 'entity' && state.state === 'live') this.#paths.set(state.path, state.id)
  }

  forget(stream: string): void {
    this.#cache.delete(stream)
  }
}
