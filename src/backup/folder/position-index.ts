import { constants } from 'node:buffer'
import type { ProvableEvent } from '../../log/copy-history.ts'

const CHAIN_BYTES = 32
/** The last position there can be. Memory is only taken where there are events. */
export const POSITION_MAX = Math.floor(constants.MAX_LENGTH / CHAIN_BYTES) - 1

/** What stands in the way of events being a log, at its first place. */
export interface OrderFault {
  readonly rule:
    | 'position-twice'
    | 'position-missing'
    | 'chain-broken'
    | 'chain-end'
    | 'time-decreases'
  readonly position: number
}

/**
 * Proves that events that come in any order are a whole log from 1 to a position, in 40 bytes for each.
 *
 * Each event tells the chain value before it and at it, and the one follows from the other by its hash, which whoever adds it has checked.
 * So it is enough that each value at a position is the one before the next: both are added to the slot of the position, where they
 * leave zeros.
 */
export class PositionIndex {
  readonly #last: number
  readonly #chains: Buffer
  readonly #times: Float64Array
  #twice = 0

  /** @param last the position of the last event, at most `POSITION_MAX` */
  constructor(last: number) {
    this.#last = last
    this.#chains = Buffer.alloc((last + 1) * CHAIN_BYTES)
    this.#times = new Float64Array(last + 1)
  }

  /** @returns false when the position is out of range */
  add({ position, previous, chain, recordedAt }: ProvableEvent): boolean {
    if (position < 1 || position > this.#last) return false
    if (this.#times[position] !== 0 && this.#twice === 0) this.#twice = position
    // a time of 0 would look as if there were no event
    this.#times[position] = Date.parse(recordedAt) || 1
    this.#mix(position - 1, previous)
    this.#mix(position, chain)
    return true
  }

  /** @param head chain value at the last position */
  fault(head: string): OrderFault | null {
    if (this.#twice > 0) return { rule: 'position-twice', position: this.#twice }
    const missing = this.#times.indexOf(0, 1)
    if (missing > 0) return { rule: 'position-missing', position: missing }
    this.#mix(this.#last, head)
    const broken = this.#chains.findIndex(byte => byte !== 0)
    if (broken >= 0) {
      const position = Math.floor(broken / CHAIN_BYTES)
      return { rule: position === this.#last ? 'chain-end' : 'chain-broken', position }
    }
    const early = this.#times.findIndex((time, at) => at > 1 && time < (this.#times[at - 1] ?? 0))
    return early < 0 ? null : { rule: 'time-decreases', position: early }
  }

  /** When the log took the event at a position that was added. */
  recordedAt(position: number): string {
    return new Date(this.#times[position] ?? 0).toISOString()
  }

  #mix(position: number, digits: string): void {
    const bytes = Buffer.from(digits, 'hex')
    const at = position * CHAIN_BYTES
    for (let index = 0; index < CHAIN_BYTES; index++) {
      this.#chains[at + index] = (this.#chains[at + index] ?? 0) ^ (bytes[index] ?? 0)
    }
  }
}
