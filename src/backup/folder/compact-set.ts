import { hash } from 'node:crypto'

const START = 1 << 10
const FULL = 0.6

/**
 * A set of texts of which only 64 bits of a hash each are kept, so that millions of them need little memory. Two different texts are taken for
 * the same with a probability that a backup need not reckon with.
 */
export class CompactSet {
  #slots = new BigUint64Array(START)
  #size = 0

  /** @returns whether it was not there yet */
  add(text: string): boolean {
    if (this.#size > this.#slots.length * FULL) this.#grow()
    const isNew = insert(this.#slots, keyOf(text))
    if (isNew) this.#size++
    return isNew
  }

  has(text: string): boolean {
    const key = keyOf(text)
    const { length } = this.#slots
    for (let slot = Number(key % BigInt(length)); ; slot = (slot + 1) % length) {
      if (this.#slots[slot] === key) return true
      if (this.#slots[slot] === 0n) return false
    }
  }

  get size(): number {
    return this.#size
  }

  #grow(): void {
    const larger = new BigUint64Array(this.#slots.length * 2)
    for (const key of this.#slots) if (key !== 0n) insert(larger, key)
    this.#slots = larger
  }
}

function insert(slots: BigUint64Array, key: bigint): boolean {
  const { length } = slots
  for (let slot = Number(key % BigInt(length)); ; slot = (slot + 1) % length) {
    if (slots[slot] === key) return false
    if (slots[slot] !== 0n) continue
    slots[slot] = key
    return true
  }
}

/** 0 marks a free slot. */
function keyOf(text: string): bigint {
  return hash('sha1', text, 'buffer').readBigUInt64LE() | 1n
}
