import { LRUCache } from 'lru-cache'
import { evolve } from '../content/evolve.ts'
import { stateOfKeyframe } from '../content/kept-state.ts'
import { roughBytes } from '../content/keyframe.ts'
import type { State } from '../content/state.ts'
import { type Recorded, upcast } from '../content/upcast.ts'
import { readStream } from '../log/read.ts'
import { type Db, one } from '../pg/db.ts'
import { fieldsOf, linesOf } from '../pg/lines.ts'
import { utcInstant } from '../pg/pool.ts'

const NEWEST = 2_147_483_647
/** More events than there can be between keyframes: there are fewer keyframes only while they are being built anew. */
const EVENTS_MAX = 1_000

/**
 * A query whose one row, a `Foldable`, holds what the state at a revision is folded from, for `revisionOf`. The event at the revision itself
 * is always there: the keyframe is an older one. Notes are no part of a state.
 *
 * @param stream SQL for the stream's id; null has no events
 * @param revision SQL for the revision
 */
export function foldableAt(stream: string, revision: string): string {
  return `with keyframe as (
    select revision, body from keyframes where stream = ${stream} and revision < ${revision} order by revision desc limit 1)
  select (select body from keyframe) as body,
    ${linesOf('revision, position, event_id, type, version, actor, at, recorded_at, data', 'revision')} as events
  from (select * from events
    where stream = ${stream} and revision > coalesce((select revision from keyframe), 0) and revision <= ${revision}
    order by revision limit ${EVENTS_MAX}) e`
}

/** A keyframe, if there is one, and the events since, as lines. */
export interface Foldable {
  readonly body: Buffer | null
  readonly events: string | null
}

const FOLDABLE = foldableAt('$1::uuid', '$2::int')

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
  const found = await one<Foldable>(db, FOLDABLE, [stream, revision])
  const { state } = await folded(db, { stream, revision }, found)
  return state
}

/** Revisions that are no further apart are folded one from the other, with so many events at most. */
const NEAR_EVENTS = 32
const RUN_EVENTS = 500

/** A stream's states at some revisions, given in rising order; null before the first. @throws as `readState` */
export async function readStates(
  db: Db,
  stream: string,
  revisions: readonly number[],
): Promise<(State | null)[]> {
  const runs: [number, ...number[]][] = []
  for (const revision of revisions) {
    const run = runs.at(-1)
    const isNear = run !== undefined && revision - (run.at(-1) ?? 0) <= NEAR_EVENTS
    if (isNear && revision - run[0] <= RUN_EVENTS) run.push(revision)
    else runs.push([revision])
  }
  const states: (State | null)[] = []
  for (const run of runs) states.push(...(await readRun(db, stream, run)))
  return states
}

async function readRun(
  db: Db,
  stream: string,
  [first, ...rest]: readonly [number, ...number[]],
): Promise<(State | null)[]> {
  let state = await readState(db, stream, first)
  const states = [state]
  const to = rest.at(-1)
  if (to === undefined) return states
  for (const event of await readStream(db, stream, { from: first + 1, to })) {
    state = evolve(state, upcast(event))
    if (rest.includes(event.revision)) states.push(state)
  }
  return states
}

type Event = Recorded & { readonly recordedAt: string }

/** The state at a revision and the event that made it. */
export interface Revision {
  readonly state: State
  readonly event: Event
}

/** A revision of a stream. null when there is no such revision. */
export async function readRevision(
  db: Db,
  stream: string,
  revision: number,
): Promise<Revision | null> {
  const found = await one<Foldable>(db, FOLDABLE, [stream, revision])
  return revisionOf(db, { stream, revision }, found)
}

/** As `readRevision`, where `foldableAt` was part of a statement that asked for more. */
export async function revisionOf(
  db: Db,
  at: { stream: string; revision: number },
  found: Foldable,
): Promise<Revision | null> {
  const { state, last } = await folded(db, at, found)
  if (state === null || last === null || last.revision !== at.revision) return null
  return { state, event: last }
}

interface Folded {
  readonly state: State | null
  /** The newest of the events after the keyframe. */
  readonly last: Event | null
}

async function folded(
  db: Db,
  { stream, revision }: { stream: string; revision: number },
  found: Foldable,
): Promise<Folded> {
  const events = fieldsOf(found.events).map(fields => eventOf(stream, fields))
  let state: State | null = found.body === null ? null : stateOfKeyframe(found.body)
  for (const event of events) state = evolve(state, upcast(event))
  const begun = { state, last: events.at(-1) ?? null }
  return events.length < EVENTS_MAX ? begun : readRest(db, stream, revision, begun)
}

function eventOf(stream: string, fields: string[]): Event {
  const [revision, position, eventId = '', type = '', version, actor = '', at = '', ...rest] =
    fields
  const [recordedAt = '', data = null] = rest
  return {
    position: Number(position),
    eventId,
    stream,
    revision: Number(revision),
    type,
    version: Number(version),
    actor,
    at: utcInstant(at),
    recordedAt: utcInstant(recordedAt),
    note: null,
    data,
  }
}

/** What is left of a stream without keyframes. */
async function readRest(db: Db, stream: string, revision: number, begun: Folded): Promise<Folded> {
  let { state, last } = begun
  for (;;) {
    const events = await readStream(db, stream, { from: (state?.revision ?? 0) + 1, to: revision })
    if (events.length === 0) return { state, last }
    for (const event of events) state = evolve(state, upcast(event))
    last = events.at(-1) ?? last
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
    sizeCalculation: bytesOf,
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

/** What else a state holds beside its documents, about. */
const STATE_BYTES = 1_000

/** About the bytes of a state in memory: of an entity its documents, which are mostly one. */
function bytesOf(state: State): number {
  if (state.kind !== 'entity') return roughBytes(state)
  const { live, tip } = state
  const other = live === null || live.document === tip ? 0 : roughBytes(live.document)
  return STATE_BYTES + roughBytes(tip) + other
}
