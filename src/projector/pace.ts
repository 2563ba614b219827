/** How many events are applied at once. */
const BATCH_START = 200
const BATCH_MAX = 10_000
/** A batch that takes less may grow, one that takes more shrinks: the transaction is short, and who stops waits for no more. */
const QUICK_MS = 1_000
const SLOW_MS = 4_000
/** How often an event is tried, and the pauses between. */
const PAUSES_MS = [100, 500, 2_500]

/** What to do after a batch failed: with fewer events at once, the same after a pause, or no more. */
export type Next =
  | { readonly type: 'smaller' }
  | { readonly type: 'again'; readonly afterMs: number }
  | { readonly type: 'stop' }

/**
 * How large the batches of one projection are: as large as is quick, and smaller and smaller around an event that cannot be applied,
 * until it stands alone.
 */
export class Pace {
  #limit = BATCH_START
  #suspect = 0
  #alone = 0
  /** How often the batch that begins where it stands now has failed. */
  tries = 0

  /** Most events of the next batch. */
  get limit(): number {
    return this.#limit
  }

  /** @param position the last of the batch */
  succeeded(count: number, tookMs: number, position: number): void {
    this.tries = 0
    this.#alone = 0
    if (tookMs > SLOW_MS) this.#limit = Math.max(1, Math.floor(this.#limit / 2))
    const mayGrow = position >= this.#suspect && count >= this.#limit && tookMs < QUICK_MS
    if (mayGrow) this.#limit = Math.min(BATCH_MAX, this.#limit * 2)
  }

  /** @param position the last of the batch */
  failed(count: number, position: number): Next {
    this.tries++
    if (count > 1) {
      this.#suspect = position
      this.#limit = Math.floor(count / 2)
      return { type: 'smaller' }
    }
    this.#limit = 1
    const afterMs = PAUSES_MS[this.#alone++]
    return afterMs === undefined ? { type: 'stop' } : { type: 'again', afterMs }
  }
}
