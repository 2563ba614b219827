import { Rm3Error } from '../errors.ts'
import {
  LABEL_MAX,
  PATH_DEPTH_MAX,
  PATTERN_ITEMS_MAX,
  PATTERN_MAX,
  PATTERN_NOTS_MAX,
  PATTERN_STARS_MAX,
} from './limits.ts'

/** How many labels; `max` is Infinity for any number. */
export interface Range {
  readonly min: number
  readonly max: number
}

/** What one alternative of an item asks of a label; `words` (of `%`) are without `_`. */
export interface LabelTest {
  readonly text: string
  readonly prefix: boolean
  readonly anyCase: boolean
  readonly words: readonly string[] | null
}

/** One item of a pattern, between its dots. */
export type PatternItem =
  | ({ readonly type: 'star' } & Range)
  | { readonly type: 'plain' | 'not'; readonly tests: readonly LabelTest[] }

const STAR = /^\*(?:\{(?:(\d{1,5})|(\d{0,5}),(\d{0,5}))\})?$/
const ALTERNATIVE = /^([A-Za-z0-9_]+)([*@%]{0,3})$/

/**
 * The items of a pattern's text, one or more.
 *
 * Counts that no path can have are folded: a `max` of 33 or more is Infinity, a `min` of more is 33.
 *
 * @throws PATTERN_INVALID naming the item, counted from 1, or the limit
 */
export function parsePattern(text: string): PatternItem[] {
  if (text.length > PATTERN_MAX) throw refused(`longer than ${PATTERN_MAX} characters`, text)
  const parts = text.split('.')
  if (parts.length > PATTERN_ITEMS_MAX) throw refused(`more than ${PATTERN_ITEMS_MAX} items`, text)
  const items = parts.map((part, index) => parseItem(part, index, text))
  const count = (type: PatternItem['type']) => items.filter(item => item.type === type).length
  if (count('star') > PATTERN_STARS_MAX) throw refused(`more than ${PATTERN_STARS_MAX} stars`, text)
  if (count('not') > PATTERN_NOTS_MAX) throw refused(`more than ${PATTERN_NOTS_MAX} NOTs`, text)
  return items
}

/** Whether a label passes one of an item's alternatives; a NOT item's `!` is the caller's. */
export function passesTests(tests: readonly LabelTest[], label: string): boolean {
  return tests.some(test => passes(test, label))
}

/** The PATTERN_INVALID that says `why` of the pattern `text`. */
export function refused(why: string, text: string, item?: number): Rm3Error {
  const where = item === undefined ? 'The path pattern' : `Item ${item} of the path pattern`
  const pattern = text.length > PATTERN_MAX ? `${text.slice(0, 60)}…` : text
  return new Rm3Error('PATTERN_INVALID', `${where} is not valid: ${why}.`, { pattern, item })
}

function parseItem(part: string, index: number, text: string): PatternItem {
  const star = STAR.exec(part)
  if (star !== null) return parseStar(star, index, text)

  const not = part.startsWith('!')
  const tests = (not ? part.slice(1) : part).split('|').map(alternative => {
    const test = parseTest(alternative)
    if (test === null) {
      throw refused(`"${alternative.slice(0, 60)}" is not a label or a star`, text, index + 1)
    }
    return test
  })
  return { type: not ? 'not' : 'plain', tests }
}

function parseStar(star: RegExpExecArray, index: number, text: string): PatternItem {
  const [whole, exact, low, high] = star
  const min = Number(exact ?? (low || 0))
  const max = exact !== undefined ? min : high ? Number(high) : Number.POSITIVE_INFINITY
  if (min > max) throw refused(`the counts of ${whole} are the wrong way round`, text, index + 1)
  return {
    type: 'star',
    min: Math.min(min, PATH_DEPTH_MAX + 1),
    max: max > PATH_DEPTH_MAX ? Number.POSITIVE_INFINITY : max,
  }
}

function parseTest(alternative: string): LabelTest | null {
  const [, text, marks] = ALTERNATIVE.exec(alternative) ?? []
  if (text === undefined || marks === undefined || text.length > LABEL_MAX) return null
  if (new Set(marks).size < marks.length) return null
  return {
    text,
    prefix: marks.includes('*'),
    anyCase: marks.includes('@'),
    words: marks.includes('%') ? text.split('_').filter(Boolean) : null,
  }
}

function passes(test: LabelTest, label: string): boolean {
  const fold = (text: string) => (test.anyCase ? text.toLowerCase() : text)
  const same = (wanted: string, given: string) =>
    test.prefix ? fold(given).startsWith(fold(wanted)) : fold(given) === fold(wanted)
  if (test.words === null) return same(test.text, label)
  const words = label.split('_')
  return test.words.every(wanted => words.some(word => same(wanted, word)))
}
