import { align, type Run } from './alignment.ts'
import { canonicalJson, type Json } from './json.ts'
import { sameJson } from './json-compare.ts'

/** Equal stretches of both arrays in order, some perhaps empty; the first begins and the last ends at both ends. */
export function commonRuns(before: readonly Json[], after: readonly Json[]): Run[] {
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && sameJson(before[head] as Json, after[head] as Json)) head++
  let tail = 0
  while (
    tail < shorter - head &&
    sameJson(before.at(-1 - tail) as Json, after.at(-1 - tail) as Json)
  )
    tail++

  const ids = new Map<string, number>()
  const middle = align(idsOf(before, head, tail, ids), idsOf(after, head, tail, ids))
  return [
    { from: 0, to: 0, length: head },
    ...middle.map(run => ({ from: run.from + head, to: run.to + head, length: run.length })),
    { from: before.length - tail, to: after.length - tail, length: tail },
  ]
}

/** A number for each item between head and tail, the same for equal items. */
function idsOf(
  array: readonly Json[],
  head: number,
  tail: number,
  ids: Map<string, number>,
): Int32Array {
  const numbers = new Int32Array(array.length - head - tail)
  for (let index = 0; index < numbers.length; index++) {
    const item = array[index + head] as Json
    const key = typeof item === 'string' ? `"${item}` : canonicalJson(item)
    const id = ids.get(key) ?? ids.size
    if (id === ids.size) ids.set(key, id)
    numbers[index] = id
  }
  return numbers
}
