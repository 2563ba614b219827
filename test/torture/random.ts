/** Numbers that follow from a seed alone. */
export interface Random {
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number
  /** Whether something of that probability happens. */
  chance(probability: number): boolean
  pick<Item>(items: readonly Item[]): Item
  uuid(): string
}

/** The generator mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (bound: number) => Math.floor((next() / 2 ** 32) * bound)
  const hex = (digits: number) => (next() % 16 ** digits).toString(16).padStart(digits, '0')
  return {
    below,
    chance: probability => next() / 2 ** 32 < probability,
    pick: items => items[below(items.length)] as never,
    uuid: () => `${hex(7)}${hex(1)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}`,
  }
}
