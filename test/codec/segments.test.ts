import fc from 'fast-check'
import type { JsonObject } from '../../src/codec/json.ts'
import { fromSegments, toSegments } from '../../src/codec/segments.ts'
import { cutText } from '../../src/codec/text-segments.ts'
import { isRm3Error } from '../../src/errors.ts'
import { assert, suite } from '../harness.ts'
import { anyJson, assertSame, longText, thrownBy } from './any-json.ts'

const changedPieces = (before: string[], after: string[]) => {
  const kept = new Set(before)
  return after.filter(piece => !kept.has(piece)).length
}
const prose = (sentences: number) =>
  Array.from(
    { length: sentences },
    (_, n) => `Sentence number ${n} tells of ${n * n} things in passing. `,
  ).join('')

suite('toSegments', test => {
  test('cuts a long text after each newline and leaves a short one alone', () => {
    const long = `${'a'.repeat(200)}\n\n${'b'.repeat(100)}`

    const segmented = toSegments({ long, short: 'a\nb' })

    assert.equal(segmented, {
      long: { $text: [`${'a'.repeat(200)}\n`, '\n', 'b'.repeat(100)] },
      short: 'a\nb',
    })
  })

  test('comes back as it was, whatever the document holds', () => {
    const withTexts = fc
      .tuple(anyJson(), longText(), anyJson())
      .map(([a, text, b]) => ({ a, $text: text, b: [b, text] }))
    fc.assert(
      fc.property(withTexts, value => assertSame(fromSegments(toSegments(value)), value)),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(anyJson(), value => assertSame(fromSegments(toSegments(value)), value)),
      { numRuns: 2000 },
    )
  })

  test('comes back as it was when the document looks like a segmented one', () => {
    const value = { $text: ['a', 'b'], $$text: { $text: 'c' }, text: 1, $texts: 2 }

    const segmented = toSegments(value)

    assert.equal(segmented, { $$text: ['a', 'b'], $$$text: { $$text: 'c' }, text: 1, $texts: 2 })
    assert.equal(fromSegments(segmented), value)
  })

  test('shares what it does not change', () => {
    const value = { kept: { a: ['short'] }, text: 'x'.repeat(300) }

    const { kept } = toSegments(value) as JsonObject

    assert.is(kept, value.kept)
    assert.is(toSegments(value.kept), value.kept)
  })
})

suite('fromSegments', test => {
  test('says that the log is damaged when a text is not made of texts', () => {
    for (const bad of [{ $text: 'a' }, { $text: [1] }, { $text: ['a'], b: 1 }, { $text: null }]) {
      assert.ok(
        isRm3Error(
          thrownBy(() => fromSegments({ deep: [bad] })),
          'LOG_DAMAGED',
        ),
      )
    }
  })
})

suite('cutText', test => {
  test('loses nothing and cuts no surrogate pair', () => {
    fc.assert(
      fc.property(longText(), text => {
        const pieces = cutText(text)
        assert.is(pieces.join(''), text)
        assert.ok(pieces.every(piece => piece !== '' && !/\p{Surrogate}/u.test(piece)))
      }),
      { numRuns: 1000 },
    )
    assert.equal(cutText(''), [])
  })

  test('keeps pieces short in prose, markup, text without spaces and one repeated character', () => {
    for (const [text, most] of [
      [prose(500), 400],
      ['<b>bold</b> and <i>italic</i> '.repeat(500), 400],
      ['lorem ipsum dolor sit amet '.repeat(500), 1600],
      [Array.from({ length: 4000 }, (_, n) => (n * n * 7919).toString(36)).join(''), 1600],
      ['😀'.repeat(5000), 1601],
      ['. '.repeat(5000), 1600],
      ['\u0e01'.repeat(5000), 1600],
    ] as const) {
      const lengths = cutText(text).map(piece => piece.length)
      assert.ok(Math.max(...lengths) <= most, `${Math.max(...lengths)} of ${text.slice(0, 20)}`)
    }
  })

  test('cuts a text without newlines anew only around an edit', () => {
    const text = prose(400)
    const unbroken = Array.from({ length: 4000 }, (_, n) => (n * n * 7919).toString(36)).join('')
    const words = Array.from({ length: 4000 }, (_, n) => `w${(n * 7919) % 1009}`).join(' ')

    for (const before of [text, unbroken, words]) {
      for (const at of [0, 1, 5000, 9001]) {
        const after = `${before.slice(0, at)}an edit${before.slice(at)}`
        assert.ok(changedPieces(cutText(before), cutText(after)) <= 4)
      }
    }
  })
})
