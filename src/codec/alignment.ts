/** `length` items from `before` at `from` are those of `after` at `to`. */
export interface Run {
  readonly from: number
  readonly to: number
  readonly length: number
}

type Ids = Int32Array

/** Beyond this many insertions and removals the shortest edit is not looked for. */
const EDITS_MAX = 256
/** Steps along equal items, over all tries; bounds what repetitive input can cost. */
const STEPS_MAX = 4_000_000

/**
 * What two sequences have in common, as runs in rising order on both sides.
 *
 * A longest common subsequence when at most 256 insertions and removals part them (Myers, "An O(ND) difference
 * algorithm", 1986); otherwise the items that stand once on each side and keep their order (patience), and a longest
 * common subsequence in each gap between them that is near enough. Items are numbers that are equal when the items are.
 */
export function align(before: Ids, after: Ids): Run[] {
  const budget = { steps: STEPS_MAX }
  const shortest = shortestEdit(before, after, budget)
  if (shortest !== null) return shortest
  const runs: Run[] = []
  let from = 0
  let to = 0
  for (const anchor of [
    ...anchors(before, after),
    { from: before.length, to: after.length, length: 0 },
  ]) {
    const gapBefore = before.subarray(from, anchor.from)
    const gap = shortestEdit(gapBefore, after.subarray(to, anchor.to), budget) ?? []
    for (const run of gap)
      push(runs, { from: run.from + from, to: run.to + to, length: run.length })
    push(runs, anchor)
    from = anchor.from + anchor.length
    to = anchor.to + anchor.length
  }
  return runs
}

/** Myers' greedy algorithm; null when the bounds are passed. */
function shortestEdit(before: Ids, after: Ids, budget: { steps: number }): Run[] | null {
  const most = Math.min(before.length + after.length, EDITS_MAX)
  const offset = most + 1
  const reach = new Int32Array(2 * most + 3)
  const trace: Int32Array[] = []
  for (let edits = 0; edits <= most; edits++) {
    trace.push(reach.slice(offset - edits - 1, offset + edits + 2))
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const down =
        diagonal === -edits ||
        (diagonal !== edits && at(reach, offset + diagonal - 1) < at(reach, offset + diagonal + 1))
      const start = down ? at(reach, offset + diagonal + 1) : at(reach, offset + diagonal - 1) + 1
      const x = slide(before, after, start, diagonal)
      budget.steps -= x - start + 1
      reach[offset + diagonal] = x
      if (x >= before.length && x - diagonal >= after.length)
        return walkBack(trace, before.length, after.length)
    }
    if (budget.steps < 0) return null
  }
  return null
}

/** How far equal items go on from `start` on a diagonal. */
function slide(before: Ids, after: Ids, start: number, diagonal: number): number {
  let x = start
  while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++
  return x
}

/** `trace[d]` holds what was reached with fewer than d edits, on the diagonals -d-1 to d+1. */
function walkBack(trace: readonly Int32Array[], beforeLength: number, afterLength: number): Run[] {
  const runs: Run[] = []
  let x = beforeLength
  let y = afterLength
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const reach = trace[edits] as Int32Array
    const middle = edits + 1
    const diagonal = x - y
    const down =
      diagonal === -edits ||
      (diagonal !== edits && at(reach, middle + diagonal - 1) < at(reach, middle + diagonal + 1))
    const previousX = edits === 0 ? 0 : at(reach, middle + diagonal + (down ? 1 : -1))
    const startX = edits === 0 || down ? previousX : previousX + 1
    if (x > startX) runs.push({ from: startX, to: startX - diagonal, length: x - startX })
    x = previousX
    y = previousX - (diagonal + (down ? 1 : -1))
  }
  return runs.reverse()
}

/** Items that stand exactly once on both sides, the longest chain of them that rises on both. */
function anchors(before: Ids, after: Ids): Run[] {
  const places = onceIn(before)
  const pairs: { from: number; to: number; previous: number }[] = []
  const tails: number[] = []
  for (const [id, to] of onceIn(after)) {
    const from = places.get(id)
    if (from === undefined) continue
    let low = 0
    let high = tails.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((pairs[tails[middle] as number]?.from as number) < from) low = middle + 1
      else high = middle
    }
    tails[low] = pairs.push({ from, to, previous: low === 0 ? -1 : (tails[low - 1] as number) }) - 1
  }
  const chain: Run[] = []
  for (let index = tails.at(-1) ?? -1; index >= 0; index = pairs[index]?.previous as number) {
    const { from, to } = pairs[index] as { from: number; to: number }
    chain.push({ from, to, length: 1 })
  }
  return chain.reverse()
}

/** Place of each id that stands there once, by rising place. */
function onceIn(ids: Ids): Map<number, number> {
  const places = new Map<number, number>()
  ids.forEach((id, place) => {
    places.set(id, places.has(id) ? -1 : place)
  })
  for (const [id, place] of places) if (place < 0) places.delete(id)
  return places
}

/** Adds a run, as part of the last one where it goes on from it. */
function push(runs: Run[], run: Run): void {
  const last = runs.at(-1)
  if (run.length === 0) return
  if (
    last !== undefined &&
    last.from + last.length === run.from &&
    last.to + last.length === run.to
  ) {
    runs[runs.length - 1] = { ...last, length: last.length + run.length }
  } else runs.push(run)
}

function at(values: Int32Array, index: number): number {
  return values[index] as number
}
