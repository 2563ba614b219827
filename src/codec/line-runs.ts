import type { Run } from './alignment.ts'
import { commonRuns } from './common-runs.ts'

/**
 * As `commonRuns` of two texts' lines, by the lines that have words: an empty line (or one of signs alone) stands in many places, and
 * counts as equal only beside a line that is. So what came in one place is not told apart by the empty lines it has in common with what
 * went from there.
 */
export function lineRuns(before: readonly string[], after: readonly string[]): Run[] {
  const runs: Run[] = [{ from: 0, to: 0, length: 0 }]
  for (const pair of [...wordedPairs(before, after), { from: before.length, to: after.length }]) {
    const last = runs.at(-1) as Run
    let head = 0
    const [from, to] = [last.from + last.length, last.to + last.length]
    const room = Math.min(pair.from - from, pair.to - to)
    while (head < room && before[from + head] === after[to + head]) head++
    let tail = 0
    while (tail < room - head && before[pair.from - 1 - tail] === after[pair.to - 1 - tail]) tail++
    push(runs, { from, to, length: head })
    const isEnd = pair.from === before.length && pair.to === after.length
    push(runs, { from: pair.from - tail, to: pair.to - tail, length: tail + (isEnd ? 0 : 1) })
  }
  const last = runs.at(-1) as Run
  const isWhole =
    last.from + last.length === before.length && last.to + last.length === after.length
  return isWhole ? runs : [...runs, { from: before.length, to: after.length, length: 0 }]
}

const WORDED = /[\p{L}\p{N}]/u

/** Places of equal lines with words, rising on both sides. */
function wordedPairs(before: readonly string[], after: readonly string[]) {
  const [old, now] = [placesIn(before), placesIn(after)]
  const runs = commonRuns(
    old.map(place => before[place] as string),
    now.map(place => after[place] as string),
  )
  return runs.flatMap(run =>
    Array.from({ length: run.length }, (_, index) => ({
      from: old[run.from + index] as number,
      to: now[run.to + index] as number,
    })),
  )
}

function placesIn(lines: readonly string[]): number[] {
  return lines.flatMap((line, place) => (WORDED.test(line) ? [place] : []))
}

/** Adds a run, as part of the last one where it goes on from it. */
function push(runs: Run[], run: Run): void {
  const last = runs.at(-1) as Run
  if (run.length === 0) return
  const isNext = last.from + last.length === run.from && last.to + last.length === run.to
  if (isNext) runs[runs.length - 1] = { ...last, length: last.length + run.length }
  else runs.push(run)
}
