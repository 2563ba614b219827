import { LRUCache } from 'lru-cache'
import { findKeyframe } from '../../projections/keyframes.ts'
import { evolve, roughBytes } from '../content/evolve.ts'
import type { State } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import { readStream } from '../log/read.ts'
import type { Db } from '../pg/db.ts'

const NEWEST = 2_147_483_647

/**
 * A stream's state at a revision, or at its newest: the keyframe before it and the events since, at most `KEYFRAME_EVENTS` of them.
 *
 * @returns null when the stream has no event up to there
 * @throws LOG_DAMAGED when its events cannot be folded
 */
export async function readState(
  db: Db,
  stream: string,
  revision: number = NEWEST,
): Promise<State | null> {
  let state = await findKeyframe(db, stream, revision)
  for (;;) {
    const from: number = (state?.revision ?? 0) + 1
    const events = from > revision ? [] : await readStream(db, stream, { from, to: revision })
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
  }

  forget(stream: string): void {
    this.#cache.delete(stream)
  }
}
