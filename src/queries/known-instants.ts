import type { Db } from '../pg/db.ts'

/** Instants that are remembered; then every second one is forgotten. */
const INSTANTS_MAX = 4_096

/** Between which positions the last one recorded by an instant is, both inclusive. */
export interface Between {
  readonly lowest: number
  readonly highest: number
}

/**
 * Which positions instants were found to mean: an instant between two of them means one between theirs, and one that was asked for means the
 * same again. Positions rise with instants, and what is over stays as it is, as long as the log is the same one.
 */
export class KnownInstants {
  /** Milliseconds, rising, and the position of each. */
  #instants: number[] = []
  #positions: number[] = []
  #epoch = ''

  /** @returns null where the search has to begin with the whole log */
  around(ms: number): Between | null {
    const index = this.#indexOf(ms)
    const highest = this.#positions[index]
    if (this.#instants[index] === ms && highest !== undefined) return { lowest: highest, highest }
    const lowest = this.#positions[index - 1]
    return lowest === undefined || highest === undefined ? null : { lowest, highest }
  }

  /** Whether what is known is of the log of this epoch. What is learned from here on is. */
  areOf(epoch: string): boolean {
    const are = this.#epoch === epoch || this.#instants.length === 0
    this.#epoch = epoch
    return are
  }

  forget(): void {
    this.#instants = []
    this.#positions = []
  }

  /** @param ms an instant that means this position for ever */
  learn(ms: number, position: number): void {
    const index = this.#indexOf(ms)
    if (this.#instants[index] === ms) return
    this.#instants.splice(index, 0, ms)
    this.#positions.splice(index, 0, position)
    if (this.#instants.length <= INSTANTS_MAX) return
    this.#instants = this.#instants.filter((_, at) => at % 2 === 0)
    this.#positions = this.#positions.filter((_, at) => at % 2 === 0)
  }

  /** The index of the first that is not before an instant. */
  #indexOf(ms: number): number {
    let [low, high] = [0, this.#instants.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#instants[middle] as number) < ms) low = middle + 1
      else high = middle
    }
    return low
  }
}

const known = new WeakMap<Db, KnownInstants>()

/** Of the log that a handle reads. */
export function instantsOf(db: Db): KnownInstants {
  let instants = known.get(db)
  if (instants === undefined) {
    instants = new KnownInstants()
    known.set(db, instants)
  }
  return instants
}
