/**
 * Patterns that say which paths a permission is granted on, with the meaning PostgreSQL 9.4 to 12 gave to an `lquery`.
 *
 * A pattern is items with dots between. It matches whole paths:
 *
 * | item | stands for |
 * | --- | --- |
 * | `blog` | that label; `blog*` one that begins so; `blog@` in any case; `my_post%` one that has these words between its `_` |
 * | `blog\|news` | one label, any of these |
 * | `*` | any labels, also none; `*{2}` two, `*{1,}` one or more, `*{,3}` up to three, `*{1,3}` |
 * | `!users` | one label that must not make the rule below come true; `!a\|b` likewise with both |
 *
 * The `!` items and stars between two plain items (or an end) are one **run**. A run fits a stretch of labels when its
 * length fits, each `!` counting as one label, **and** the stretch would not fit the run with its `!` left out. So
 *
 * - `wh.!users.*` is everything under `wh` that `users.*` does not fit: `wh.blog.x`, not `wh.users`, not `wh.users.x`;
 * - `*.!foo.*` means "no label is foo", `*.!foo` "the last label is not foo", `!foo.*` "the first one is not";
 * - `a.!b.!c` refuses only `a.b.c`: two `!` of a run are wrong together, not each alone.
 *
 * Where the path ends early, `!` items and stars at the pattern's end that may stand for nothing are left out (each
 * star before them then takes its fewest): `wh.!users.*` and `wh.!users` match `wh`; `wh.!users.*{1}` does not.
 *
 * PostgreSQL 13 changed this (there, `wh.!users.*` no longer matches `wh` and `*.!foo.*` is "some label is not foo"),
 * which is why no pattern is ever handed to PostgreSQL. Left out on purpose are accidents of the old code: of adjacent
 * stars only the last counted, labels before a `!` behind `*{n}` were miscounted (which let through what was to be
 * refused), and with several places to match a plain item after a `!` only the first was tried.
 */
import { PATH_DEPTH_MAX, PATH_MAX } from './limits.ts'
import { parsePattern, passesTests, type Range } from './pattern-items.ts'
import { patternRegex } from './pattern-regex.ts'
import { allRuns, type PatternShape, type Run, shapeOf } from './pattern-shape.ts'

export interface Pattern {
  /** As it was given. */
  readonly text: string
  /** Whether a path fits, in time bounded by depth² × items; for paths as `parsePath` returns them. */
  readonly matches: (path: string) => boolean
  /**
   * A regular expression for PostgreSQL's `path ~ $1` that is true for the same paths, anchors included. It holds only
   * letters and digits out of the pattern, and nothing PostgreSQL and JavaScript read differently.
   */
  readonly regex: string
}

/**
 * A pattern ready to match.
 *
 * Capitals in it never fit a path (those are in lower case) unless marked `@`: `canonicalPattern` folds them first.
 *
 * @throws PATTERN_INVALID naming the item, or for more than 500 characters, 32 items, 8 stars or 8 `!`
 */
export function compilePattern(text: string): Pattern {
  const shape = shapeOf(parsePattern(text))
  const regex = patternRegex(shape)
  return { text, matches: path => path.length <= PATH_MAX && fits(shape, path.split('.')), regex }
}

/**
 * The text of a pattern in the one spelling paths have: lower case.
 *
 * @throws PATTERN_INVALID as compilePattern
 */
export function canonicalPattern(text: string): string {
  return compilePattern(text.toLowerCase()).text
}

function fits(shape: PatternShape, labels: readonly string[]): boolean {
  if (labels.length > PATH_DEPTH_MAX) return false
  let reached = [0]
  for (const { run, plain } of shape.steps) {
    const before = [...new Set(reached.flatMap(from => runEnds(run, labels, from)))]
    reached = before.flatMap(at => (labelPasses(plain, labels, at) ? [at + 1] : []))
    if (reached.length === 0) return false
  }
  const tails = allRuns(shape)
  return reached.some(from => tails.some(run => runEnds(run, labels, from).includes(labels.length)))
}

/** Where a stretch that begins at `from` and fits the run can end. */
function runEnds(run: Run, labels: readonly string[], from: number): number[] {
  const ends = starEnds(run.length, labels, [from])
  if (run.nots.length === 0) return ends
  let wrong = [from]
  run.stars.forEach((star, index) => {
    wrong = starEnds(star, labels, wrong)
    const not = run.nots[index]
    if (not !== undefined)
      wrong = wrong.filter(at => labelPasses(not, labels, at)).map(at => at + 1)
  })
  return ends.filter(end => !wrong.includes(end))
}

function starEnds({ min, max }: Range, labels: readonly string[], from: readonly number[]) {
  const ends: number[] = []
  let last = -1
  const first = from[0]
  if (first === undefined) return ends
  const starts = new Set(from)
  for (let end = first + min; end <= labels.length; end++) {
    if (starts.has(end - min)) last = end - min
    if (end - last <= max) ends.push(end)
  }
  return ends
}

function labelPasses(tests: Run['nots'][number], labels: readonly string[], at: number): boolean {
  const label = labels[at]
  return label !== undefined && passesTests(tests, label)
}
