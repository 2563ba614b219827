import { createHash } from 'node:crypto'

/** Numbers that follow from a seed alone. */
export interface Random {
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number
  /** Whether something of that probability happens. */
  chance(probability: number): boolean
  pick<Item>(items: readonly Item[]): Item
  uuid(): string
}

/** The generator mulberry32. Its 32 bits are too few for ids that no two clients share, so those are hashes of the seed and a count. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (bound: number) => Math.floor((next() / 2 ** 32) * bound)
  let ids = 0
  const uuid = () => {
    const hex = createHash('sha256').update(`${seed} ${ids++}`).digest('hex')
    const parts = [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(12, 15)}`,
      `8${hex.slice(15, 18)}`,
    ]
    return [...parts, hex.slice(18, 30)].join('-')
  }
  return {
    below,
    chance: probability => next() / 2 ** 32 < probability,
    pick: items => items[below(items.length)] as never,
    uuid,
  }
}
