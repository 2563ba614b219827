import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { Json } from '../../src/codec/json.ts'

const KEYS = [
  '',
  'a',
  'b',
  'title',
  'a/b',
  'm~n',
  '~1',
  '$text',
  '$$text',
  '0',
  '10',
  '-',
  'ä😀',
  'constructor',
  'length',
]

/** Keys that trip naive code, among any others that are kept. */
export const anyKey = () =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...KEYS) },
    anyText(4).filter(key => key !== '__proto__'),
  )

/** Well-formed text without NUL. */
export const anyText = (maxLength = 12) =>
  fc.string({ unit: 'grapheme', maxLength }).map(text => text.replaceAll('\0', ''))

/** A text of lines, sentences and markup, often long enough to be cut into segments. */
export const longText = () =>
  fc
    .array(
      fc.oneof(
        fc.constantFrom(
          'A sentence ends. ',
          'no end ',
          '<p>',
          '</p>',
          '\n',
          '\r\n',
          '😀',
          'ä',
          '。',
          '> ',
        ),
        anyText(),
        fc.integer({ min: 1, max: 600 }).map(length => 'xy'.repeat(length)),
        fc.integer({ min: 1, max: 90 }).map(length => 'word '.repeat(length)),
      ),
      { maxLength: 40 },
    )
    .map(parts => parts.join(''))

/** Any JSON that `checkJson` takes; small values, so that equal ones are frequent. */
export const anyJson = (): fc.Arbitrary<Json> =>
  fc.letrec<{ value: Json }>(tie => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(
        fc.constantFrom<Json>(null, true, false, 0, 1, 2, 'a', 'b', '', 1.5, -7, 2 ** 53),
        anyText(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => value + 0),
      ),
      fc.array(tie('value'), { maxLength: 6 }),
      fc
        .array(fc.tuple(anyKey(), tie('value')), { maxLength: 5 })
        .map(pairs => Object.fromEntries(pairs)),
    ),
  })).value

/** What `act` throws. */
export function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (thrown) {
    return thrown
  }
  throw new Error('expected an error')
}

/** uvu's `assert.equal` stumbles over data with a key `constructor`. */
export function assertSame(actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`)
}
