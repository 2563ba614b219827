import type { LabelTest, PatternItem, Range } from './pattern-items.ts'

/** Stars and `!` items in a row: star, not, star, …, star, with {0, 0} where no star is written. */
export interface Run {
  readonly stars: readonly Range[]
  readonly nots: readonly (readonly LabelTest[])[]
  /** How many labels it spans. */
  readonly length: Range
}

/** A pattern as runs with plain items between: `steps`, then one of `tail` and `shortTails` at the path's end. */
export interface PatternShape {
  readonly steps: readonly { readonly run: Run; readonly plain: readonly LabelTest[] }[]
  readonly tail: Run
  /** What the last run is when the path ends before its `!` items got their labels. */
  readonly shortTails: readonly Run[]
}

const NONE: Range = { min: 0, max: 0 }

/** The runs and plain items of a pattern. */
export function shapeOf(items: readonly PatternItem[]): PatternShape {
  const steps: { run: Run; plain: readonly LabelTest[] }[] = []
  let stars: Range[] = [NONE]
  let nots: (readonly LabelTest[])[] = []
  for (const item of items) {
    if (item.type === 'star') {
      stars.push(sum(stars.pop() ?? NONE, item))
    } else if (item.type === 'not') {
      nots.push(item.tests)
      stars.push(NONE)
    } else {
      steps.push({ run: newRun(stars, nots), plain: item.tests })
      stars = [NONE]
      nots = []
    }
  }
  const tail = newRun(stars, nots)
  return { steps, tail, shortTails: shortTailsOf(tail) }
}

/** All forms of the last run. */
export function allRuns(shape: PatternShape): Run[] {
  return [shape.tail, ...shape.shortTails]
}

function newRun(stars: readonly Range[], nots: Run['nots']): Run {
  const total = stars.reduce(sum)
  return { stars, nots, length: sum(total, { min: nots.length, max: nots.length }) }
}

/** The run cut after 0, 1, … of its `!` items, as long as the stars that fall away may stand for nothing. */
function shortTailsOf({ stars, nots }: Run): Run[] {
  return nots.flatMap((_, kept) => {
    if (stars.slice(kept).some(star => star.min > 0)) return []
    const fewest = stars.slice(0, kept).map(({ min }) => ({ min, max: min }))
    return [newRun([...fewest, NONE], nots.slice(0, kept))]
  })
}

/** How many labels two stretches have together. */
export function sum(a: Range, b: Range): Range {
  return { min: a.min + b.min, max: a.max + b.max }
}
