import type { Run } from './alignment.ts'
import type { Json } from './json.ts'
import { sameJson } from './json-compare.ts'

/** The same on three sides. */
export interface Region<Value> {
  readonly base: Value
  readonly one: Value
  readonly other: Value
}

/** The items of `base` from `from` up to `until` became `items`. */
interface Hunk<Item> {
  readonly from: number
  readonly until: number
  readonly items: readonly Item[]
}

interface Manner<Item> {
  /** So many items of `base` at least must stand unchanged between changes of both sides. */
  readonly apart: number
  /** What two sequences have in common; the last run ends at both ends. */
  readonly runs: (before: readonly Item[], after: readonly Item[]) => readonly Run[]
}

/**
 * Two sequences that were made of a third put together: what only one side changed as that side has it, and what both changed in the
 * same way.
 *
 * @param settle what becomes of a region that both changed differently; `from` is its place in `base`
 */
export function mergeHunks<Item extends Json>(
  { base, one, other }: Region<readonly Item[]>,
  { apart, runs }: Manner<Item>,
  settle: (region: Region<Item[]> & { readonly from: number }) => readonly Item[],
): Item[] {
  const ones = hunksOf(runs(base, one), one)
  const others = hunksOf(runs(base, other), other)
  const merged: Item[] = []
  let at = 0
  for (;;) {
    const [mine, theirs] = takeTogether(ones, others, apart)
    const from = Math.min(mine[0]?.from ?? base.length, theirs[0]?.from ?? base.length)
    merged.push(...base.slice(at, from))
    if (mine.length + theirs.length === 0) return merged
    const until = Math.max(mine.at(-1)?.until ?? 0, theirs.at(-1)?.until ?? 0)
    const region = {
      from,
      base: base.slice(from, until),
      one: applied(base, mine, from, until),
      other: applied(base, theirs, from, until),
    }
    if (theirs.length === 0 || sameJson(region.one, region.other)) merged.push(...region.one)
    else if (mine.length === 0) merged.push(...region.other)
    else merged.push(...settle(region))
    at = until
  }
}

function hunksOf<Item>(runs: readonly Run[], after: readonly Item[]): Hunk<Item>[] {
  const hunks: Hunk<Item>[] = []
  let from = 0
  let to = 0
  for (const run of runs) {
    if (run.from > from || run.to > to) {
      hunks.push({ from, until: run.from, items: after.slice(to, run.to) })
    }
    from = run.from + run.length
    to = run.to + run.length
  }
  return hunks
}

/** Takes the first hunk of either side, and all of both that are too near to what was taken. */
function takeTogether<Item>(
  ones: Hunk<Item>[],
  others: Hunk<Item>[],
  apart: number,
): [Hunk<Item>[], Hunk<Item>[]] {
  const mine: Hunk<Item>[] = []
  const theirs: Hunk<Item>[] = []
  let from = -1
  let until = -1
  for (;;) {
    const [queue, taken] = isFirst(others[0], ones[0]) ? [others, theirs] : [ones, mine]
    const [next] = queue
    if (next === undefined) return [mine, theirs]
    const atOnce = next.until === from && until === from
    if (from >= 0 && !atOnce && next.from >= until + apart) return [mine, theirs]
    if (from < 0) from = next.from
    until = Math.max(until, next.until)
    taken.push(next)
    queue.shift()
  }
}

function isFirst<Item>(hunk: Hunk<Item> | undefined, than: Hunk<Item> | undefined): boolean {
  if (hunk === undefined || than === undefined) return hunk !== undefined
  return hunk.from < than.from || (hunk.from === than.from && hunk.until < than.until)
}

/** A stretch of `base` with the hunks of one side in it. */
function applied<Item>(
  base: readonly Item[],
  hunks: readonly Hunk<Item>[],
  from: number,
  until: number,
): Item[] {
  const items: Item[] = []
  let at = from
  for (const hunk of hunks) {
    items.push(...base.slice(at, hunk.from), ...hunk.items)
    at = hunk.until
  }
  items.push(...base.slice(at, until))
  return items
}
