import type { Run } from './alignment.ts'

/** Where lines went: places before by places after, and the other way round. From 0. */
export interface LineMoves {
  readonly to: ReadonlyMap<number, number>
  readonly from: ReadonlyMap<number, number>
}

/** Lines with fewer letters and digits stand in many places by chance. */
const LETTERS_MIN = 8
const LETTER = /[\p{L}\p{N}]/gu

/**
 * Lines that went from one place and came, as they were, to another; with the lines without words behind them.
 *
 * @param runs what both have in common, in order
 */
export function lineMoves(
  before: readonly string[],
  after: readonly string[],
  runs: readonly Run[],
): LineMoves {
  const gone = new Set(placesBetween(runs, 'from', before.length))
  const come = new Set(placesBetween(runs, 'to', after.length))
  const places = new Map<string, number[]>()
  for (const place of gone) {
    const line = before[place] as string
    if (!isTelling(line)) continue
    const known = places.get(line)
    if (known === undefined) places.set(line, [place])
    else known.push(place)
  }
  const to = new Map<number, number>()
  const from = new Map<number, number>()
  for (const place of come) {
    const origin = places.get(after[place] as string)?.shift()
    if (origin === undefined) continue
    to.set(origin, place)
    from.set(place, origin)
  }
  for (const [origin, place] of [...to]) {
    for (let next = 1; isCarried(origin + next, place + next); next++) {
      to.set(origin + next, place + next)
      from.set(place + next, origin + next)
    }
  }
  return { to, from }

  function isCarried(origin: number, place: number): boolean {
    const isFree = gone.has(origin) && come.has(place) && !to.has(origin) && !from.has(place)
    return isFree && before[origin] === after[place]
  }
}

function isTelling(line: string): boolean {
  return (line.match(LETTER)?.length ?? 0) >= LETTERS_MIN
}

/** Places that are in no run. */
function placesBetween(runs: readonly Run[], side: 'from' | 'to', end: number): number[] {
  const places: number[] = []
  let at = 0
  for (const run of [...runs, { from: end, to: end, length: 0 }]) {
    while (at < run[side]) places.push(at++)
    at = Math.max(at, run[side] + run.length)
  }
  return places
}
