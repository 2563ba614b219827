import { Rm3Error } from '../errors.ts'
import type { Appended } from './append.ts'
import type { Prepared } from './batch.ts'

/** Most appends and characters of events in one batch, and of all that wait in one process. */
const BATCH_MAX = 200
const BATCH_CHARACTERS_MAX = 2_000_000
export const QUEUE_MAX = 2_000
const QUEUE_CHARACTERS_MAX = 64_000_000

/** An append and whoever waits for it. */
export interface Waiting extends Prepared {
  readonly resolve: (appended: Appended) => void
  readonly reject: (thrown: unknown) => void
  /** An answer about it was lost: it may have been written, or still be. */
  lost: boolean
}

/** Appends in the order in which they came, given out in batches; bounded. */
export class AppendQueue {
  readonly #waiting: Waiting[] = []
  readonly #busy = new Set<string>()
  #characters = 0

  /** How many wait. */
  get length(): number {
    return this.#waiting.length
  }

  /** @throws LOG_BUSY when too much waits already; one append alone may be as large as it likes */
  add(waiting: Waiting): void {
    const sizeBytes = this.#characters + waiting.sizeBytes
    const isFull = this.#waiting.length >= QUEUE_MAX || sizeBytes > QUEUE_CHARACTERS_MAX
    if (isFull && this.length > 0) {
      throw new Rm3Error(
        'LOG_BUSY',
        `${this.#waiting.length} writes are waiting already; try again shortly`,
      )
    }
    this.#waiting.push(waiting)
    this.#characters = sizeBytes
  }

  /**
   * The next batch, oldest first; [] when there is none now. `done` gives what it holds free again.
   *
   * At most one append to a stream or a path is under way: the one before decides its expected revision, and whether the path is free
   * (the rows of a batch are written table by table, not append by append). Nor does one overtake another that waits for the same, so
   * those over several streams get their turn.
   *
   * Those that rest on rights rest on the same in one batch, and none that changes rights stands before them.
   *
   * @param most appends in it
   */
  take(most: number): Waiting[] {
    const batch: Waiting[] = []
    const left: Waiting[] = []
    const held = new Set(this.#busy)
    const fits = rightsFitter()
    let sizeBytes = 0
    for (const waiting of this.#waiting) {
      const full =
        batch.length === Math.min(most, BATCH_MAX) ||
        (batch.length > 0 && sizeBytes + waiting.sizeBytes > BATCH_CHARACTERS_MAX)
      if (full || overlaps(waiting.holds, held) || !fits(waiting.request)) {
        left.push(waiting)
      } else {
        batch.push(waiting)
        sizeBytes += waiting.sizeBytes
        for (const hold of waiting.holds) this.#busy.add(hold)
      }
      for (const hold of waiting.holds) held.add(hold)
    }
    this.#waiting.splice(0, this.#waiting.length, ...left)
    this.#characters -= sizeBytes
    return batch
  }

  /** The batch was answered. */
  done(batch: readonly Waiting[]): void {
    for (const { holds } of batch) for (const hold of holds) this.#busy.delete(hold)
  }
}

/** Tells of one append after the other whether it may go into a batch with those of which it said so before. */
function rightsFitter(): (request: Prepared['request']) => boolean {
  let restsAt: number | null = null
  let changes = false
  return ({ rights, rightsAt = null }) => {
    if (rightsAt !== null && (changes || rightsAt !== (restsAt ?? rightsAt))) return false
    restsAt ??= rightsAt
    changes ||= rights
    return true
  }
}

function overlaps(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const one of some) if (others.has(one)) return true
  return false
}
