import type { Json, JsonObject } from './json.ts'
import { isContainer, sameJson } from './json-compare.ts'

/** One step of turning a stretch of an array into another one, left to right. */
export type Step =
  | { readonly type: 'pair'; readonly before: Json; readonly after: Json }
  | { readonly type: 'add'; readonly after: Json }
  | { readonly type: 'remove' }

/** Index on the left, index on the right. */
export type Pair = readonly [number, number]

/** More possible pairs than this are not weighed; items are then paired as they come. */
const PAIRS_MAX = 400
/** Two values less alike than this are no versions of one another. */
const ALIKE_MIN = 0.3

/**
 * Which items of `before` became which of `after`, where none is equal to its counterpart: objects and arrays find
 * the one they resemble most, in order; what is left between them is paired as it comes, then removed or added.
 */
export function pairUp(before: readonly Json[], after: readonly Json[]): Step[] {
  const steps: Step[] = []
  let from = 0
  let to = 0
  for (const [left, right] of [
    ...alikePairs(before, after),
    [before.length, after.length] as const,
  ]) {
    stepThrough(before.slice(from, left), after.slice(to, right), steps)
    if (left < before.length) {
      steps.push({ type: 'pair', before: before[left] as Json, after: after[right] as Json })
    }
    from = left + 1
    to = right + 1
  }
  return steps
}

function stepThrough(before: readonly Json[], after: readonly Json[], steps: Step[]): void {
  const shared = Math.min(before.length, after.length)
  for (let index = 0; index < shared; index++) {
    steps.push({ type: 'pair', before: before[index] as Json, after: after[index] as Json })
  }
  for (let index = shared; index < before.length; index++) steps.push({ type: 'remove' })
  for (const item of after.slice(shared)) steps.push({ type: 'add', after: item })
}

function alikePairs(before: readonly Json[], after: readonly Json[]): Pair[] {
  const single = before.length === 1 && after.length === 1
  return single || !before.some(isContainer) ? [] : choosePairs(before, after, likeness)
}

/**
 * The order-keeping choice of pairs whose likenesses (0 to 1; under 0.3 is none) add up to most, as indexes; [] when
 * there are over 400 to choose from.
 */
export function choosePairs<T>(
  before: readonly T[],
  after: readonly T[],
  likenessOf: (left: T, right: T) => number,
): Pair[] {
  if (before.length * after.length > PAIRS_MAX) return []
  const likes = before.map(left => after.map(right => likenessOf(left, right)))
  const best = bestSums(likes, before.length, after.length)
  const pairs: Pair[] = []
  let left = 0
  let right = 0
  while (left < before.length && right < after.length) {
    const here = best[left]?.[right] as number
    if (here === best[left + 1]?.[right]) left++
    else if (here === best[left]?.[right + 1]) right++
    else pairs.push([left++, right++])
  }
  return pairs
}

/** `[i][j]`: the most that items from i and j on can add up to. */
function bestSums(
  likes: readonly (readonly number[])[],
  rows: number,
  columns: number,
): number[][] {
  const best = Array.from({ length: rows + 1 }, () => new Array<number>(columns + 1).fill(0))
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      const like = likes[row]?.[column] as number
      const paired = like < ALIKE_MIN ? 0 : like + (best[row + 1]?.[column + 1] as number)
      const below = best[row + 1]?.[column] as number
      const beside = best[row]?.[column + 1] as number
      ;(best[row] as number[])[column] = Math.max(paired, below, beside)
    }
  }
  return best
}

/** 0 (nothing in common, or no containers) to 1: the share of members that are equal. */
function likeness(left: Json, right: Json): number {
  if (!isContainer(left) || !isContainer(right)) return 0
  if (Array.isArray(left) || Array.isArray(right)) {
    return Array.isArray(left) && Array.isArray(right) ? arrayLikeness(left, right) : 0
  }
  return objectLikeness(left, right)
}

function arrayLikeness(left: readonly Json[], right: readonly Json[]): number {
  const longer = Math.max(left.length, right.length)
  if (longer === 0) return 1
  const items = new Set(left)
  let shared = 0
  right.forEach((item, index) => {
    if (items.has(item) || (isContainer(item) && sameJson(left[index] ?? null, item))) shared++
  })
  return shared / longer
}

function objectLikeness(left: JsonObject, right: JsonObject): number {
  const keys = Object.keys(left)
  const all = new Set([...keys, ...Object.keys(right)]).size
  let shared = 0
  for (const key of keys) {
    if (!Object.hasOwn(right, key)) continue
    if (sameJson(left[key] as Json, right[key] as Json)) shared++
    else if (isContainer(left[key] as Json))
      shared += likeness(left[key] as Json, right[key] as Json) / 2
  }
  return all === 0 ? 1 : shared / all
}
