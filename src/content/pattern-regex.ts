import { PATH_DEPTH_MAX } from './limits.ts'
import type { LabelTest, Range } from './pattern-items.ts'
import { allRuns, type PatternShape, type Run, sum } from './pattern-shape.ts'

/** A label's characters; ASCII whatever the locale. */
const CHARACTER = '[A-Za-z0-9_]'

/**
 * The regular expression of a pattern, for `pattern.ts`: only what POSIX ARE and JavaScript read alike.
 */
export function patternRegex(shape: PatternShape): string {
  let regex = '^'
  // what stands before a label: nothing at the path's start, which may be in several places until a plain item came
  let dot = '(?:^|\\.)'
  shape.steps.forEach(({ run, plain }, step) => {
    regex += fixedOrSingle(run, dot) ?? counted(run, dot, lengthFrom(shape, step))
    regex += dot + oneOf(plain)
    dot = '\\.'
  })
  const tails = allRuns(shape).map(run => fixedOrSingle(run, dot) ?? guarded(run, dot))
  return `${regex}${anyOf(tails)}$`
}

/** How many labels may stand from a step's plain item to the path's end. */
function lengthFrom(shape: PatternShape, step: number): Range {
  const tails = allRuns(shape).map(({ length }) => length)
  const later = shape.steps.slice(step + 1).map(({ run }) => sum(run.length, exactly(1)))
  const tail = {
    min: Math.min(...tails.map(({ min }) => min)),
    max: Math.max(...tails.map(({ max }) => max)),
  }
  return [exactly(1), ...later].reduce(sum, tail)
}

/** A run that says in itself which labels are refused where; null for several `!` with an open star. */
function fixedOrSingle(run: Run, dot: string): string | null {
  const [not] = run.nots
  if (not === undefined) return labels(run.length, dot)
  const [before, after] = run.stars
  if (run.nots.length === 1 && before && after) return singleNot(not, before, after, dot)
  if (run.length.min !== run.length.max) return null

  // of a fixed length: one of the `!` items must hold, wherever the others stand
  let at = -1
  const { length } = run
  const ways = run.nots.map((tests, index) => {
    at += (run.stars[index]?.min ?? 0) + 1
    const rest = length.min - at - 1
    return labels(exactly(at), dot) + refusing(tests, dot) + labels(exactly(rest), dot)
  })
  return anyOf(ways)
}

/**
 * One `!` between two stars: refused at each place it could have in a stretch of that length.
 *
 * Stars of a fixed or endless length have a closed form; else each length is written out, at most 33 of them.
 */
function singleNot(tests: readonly LabelTest[], before: Range, after: Range, dot: string): string {
  const not = refusing(tests, dot)
  const way = (a: Range, b: Range, c: Range) => labels(a, dot) + repeat(not, b) + labels(c, dot)
  const [first, last] = [exactly(before.min), exactly(after.min)]
  if (before.min === before.max || after.min === after.max) return way(before, exactly(1), after)
  if (before.max === Infinity && after.max === Infinity)
    return way(first, { min: 1, max: Infinity }, last)

  const ways: string[] = []
  const shortest = before.min + 1 + after.min
  const longest = Math.min(before.max + 1 + after.max, Math.max(shortest, PATH_DEPTH_MAX))
  for (let length = shortest; length <= longest; length++) {
    const low = Math.max(before.min, length - 1 - after.max)
    const high = Math.min(before.max, length - 1 - after.min)
    ways.push(way(exactly(low), exactly(high - low + 1), exactly(length - 1 - high)))
  }
  return anyOf(ways)
}

/** A run at the path's end, kept from what would fit it without its `!`. */
function guarded(run: Run, dot: string): string {
  return `(?!${withoutNots(run, dot)}$)${labels(run.length, dot)}`
}

/**
 * A run of several `!` before a plain item. Where its stretch ends is told by how many labels come behind it, for a look-ahead can
 * say nothing of a place in the middle: one way for each count that a path can have.
 */
function counted(run: Run, dot: string, behind: Range): string {
  const ways: string[] = []
  const most = Math.min(behind.max, PATH_DEPTH_MAX - run.length.min)
  for (let count = behind.min; count <= most; count++) {
    const rest = `${labels(exactly(count), '\\.')}$`
    ways.push(`(?!${withoutNots(run, dot)}${rest})${labels(run.length, dot)}(?=${rest})`)
  }
  return ways.length === 0 ? NEVER : anyOf(ways)
}

/** No path fits a pattern that asks for more labels than there may be. */
const NEVER = '$.'

function withoutNots(run: Run, dot: string): string {
  const items = run.stars.map((star, index) => {
    const not = run.nots[index]
    return labels(star, dot) + (not === undefined ? '' : dot + oneOf(not))
  })
  return items.join('')
}

function labels(range: Range, dot: string): string {
  return repeat(`${dot}${CHARACTER}+`, range)
}

/** One label that is none of these. */
function refusing(tests: readonly LabelTest[], dot: string): string {
  return `${dot}(?!${oneOf(tests)}(?!${CHARACTER}))${CHARACTER}+`
}

function repeat(regex: string, { min, max }: Range): string {
  if (max === 0) return ''
  if (min === 1 && max === 1) return regex
  if (max !== Infinity) return `(?:${regex}){${min},${max}}`
  return min > 1 ? `(?:${regex}){${min},}` : `(?:${regex})${min === 0 ? '*' : '+'}`
}

function oneOf(tests: readonly LabelTest[]): string {
  return anyOf(tests.map(testRegex))
}

function testRegex({ text, prefix, anyCase, words }: LabelTest): string {
  const spell = anyCase ? eitherCase : (plain: string) => plain
  if (words === null) return spell(text) + (prefix ? `${CHARACTER}*` : '')
  const end = prefix ? '' : '(?![A-Za-z0-9])'
  return `${words.map(word => `(?=(?:${CHARACTER}*_)?${spell(word)}${end})`).join('')}${CHARACTER}+`
}

function eitherCase(text: string): string {
  return text.replace(/[A-Za-z]/g, letter => `[${letter.toLowerCase()}${letter.toUpperCase()}]`)
}

function anyOf(ways: readonly string[]): string {
  return ways.length === 1 ? (ways[0] ?? '') : `(?:${ways.join('|')})`
}

function exactly(count: number): Range {
  return { min: count, max: count }
}
