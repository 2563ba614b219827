import fc from 'fast-check'
import { toSegments } from '../../src/codec/segments.ts'
import { differingSentences } from '../../src/content/differing-sentences.ts'
import type { Document, Json, JsonObject } from '../../src/content/document.ts'
import { sentencesIn, sentencesOf } from '../../src/content/sentences.ts'
import { changedWords, hashOf, wordsOf } from '../../src/content/wording.ts'
import { assert, suite } from '../harness.ts'
import { text } from '../http/html-site.ts'

const stored = (title: string, source: string) => toSegments({ ...text(title, source) } as never)
/** Lines of texts with few marks, so that both what is compared line by line and what is not is met with. */
const line = fc
  .array(
    fc.constantFrom(
      'The mill',
      'turns',
      'a.',
      'b!"',
      '…',
      '。',
      '- x',
      '**',
      '~~',
      '|',
      '`',
      '> y',
      '',
      'É',
      '1',
      '😀',
      '\t',
    ),
    {
      maxLength: 4,
    },
  )
  .chain(words =>
    fc
      .constantFrom('.', '?', '', ' ', '<b>', '```', '&amp;', '[a](b)')
      .map(end => words.join(' ') + end),
  )
const lines = fc.array(line, { maxLength: 8 })
const blocksOf = (...sources: (readonly string[])[]) =>
  sources.map(source => ({ format: 'markdown', source: source.join('\n') }))
const pageOf = (title: string, blocks: JsonObject[]): Document => ({
  ...{ proto: 'base', hidden: false, summary: { title }, tags: {} },
  data: Object.fromEntries(blocks.map((block, index) => [`block${index}`, block])),
})

/** The stored form as it is of long texts: one piece a line. */
function inLines({ data, ...rest }: Readonly<Record<string, Json>>): Json {
  const inPieces = Object.entries(data as JsonObject).map(([name, block]) => {
    const { source, ...others } = block as JsonObject
    return [name, { ...others, source: { $text: (source as string).split(/(?<=\n)/) } }]
  })
  return { ...rest, data: Object.fromEntries(inPieces) }
}

/** How many times more the second has each sentence than the first. */
function difference([before, after]: readonly (readonly string[])[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const one of before ?? []) counts.set(one, (counts.get(one) ?? 0) - 1)
  for (const one of after ?? []) counts.set(one, (counts.get(one) ?? 0) + 1)
  return [...counts].filter(([, count]) => count !== 0).sort()
}

const hashes = (words: string) => [...new Set(wordsOf(words).map(hashOf))].sort((a, b) => a - b)

suite('wording', test => {
  test('compares words without case, marks and spaces, in any script', () => {
    assert.equal(wordsOf('The  "Mill", 1840—Straße ﬁn.'), ['the', 'mill', '1840', 'straße', 'fin'])
    assert.equal(wordsOf('水车。磨坊'), ['水', '车', '磨', '坊'])
    assert.equal(wordsOf('مَرْحَبًا'), ['مَرْحَبًا'])
    assert.equal(wordsOf('…'), [])
  })

  test('parts texts at the ends of sentences', () => {
    assert.equal(sentencesOf('One. Two? "Three!" Four'), ['One. ', 'Two? ', '"Three!" ', 'Four'])
    assert.equal(sentencesOf('一。二'), ['一。', '二'])
    assert.equal(sentencesOf(''), [])
  })

  test('names the words of the sentences that differ, and of no others', () => {
    const before = stored('Mill', 'It turns **fast**. It is old.')
    const after = stored('Mill', 'It turns slowly. It is old.')

    assert.equal(changedWords(before, after), hashes('it turns fast slowly'))
    assert.equal(changedWords(null, before), hashes('mill it turns fast is old'))
    assert.equal(changedWords(before, null), hashes('mill it turns fast is old'))
    assert.equal(changedWords(before, before), [])
    assert.equal(changedWords(null, null), [])
  })

  test('are the same of texts in ASCII and others', () => {
    const sign = fc.constantFrom(...'aZ09 .,-_\'"@[{é 水ﬁ\u0301')
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 40 }), signs => {
        const words = signs.join('')
        const after = toSegments({
          ...{ proto: 'base', hidden: false, summary: { title: words }, data: {}, tags: {} },
        } as never)
        assert.equal(changedWords(null, after), hashes(words))
      }),
      { numRuns: 2_000 },
    )
  })

  test('differ in the same sentences whether all of a text is looked at or only what changed', () => {
    const edit = fc.record({
      at: fc.nat(8),
      gone: fc.nat(2),
      come: fc.array(line, { maxLength: 2 }),
    })
    const titles = fc.constantFrom('Mill', 'Mill. Old')
    fc.assert(
      fc.property(
        lines,
        lines,
        edit,
        titles,
        titles,
        (first, second, { at, gone, come }, was, is) => {
          const before = pageOf(was, blocksOf(first, second))
          const edited = second.toSpliced(at, gone, ...come)
          for (const after of [
            pageOf(is, blocksOf(first, edited)),
            pageOf(is, blocksOf(edited, second)),
          ]) {
            const whole = difference([sentencesIn(before), sentencesIn(after)])
            for (const form of [toSegments, inLines]) {
              const looked = differingSentences(form({ ...before }), form({ ...after }))
              assert.equal(difference(looked), whole)
            }
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('are looked at no further than the lines around what changed', () => {
    const text = (line: string) => [
      'One is.',
      'Two is.',
      line,
      'Four is.',
      'Five is.',
      'Six is.',
      'Seven is.',
    ]
    const [before, after] = [
      pageOf('A', blocksOf(text('Three is.'))),
      pageOf('A', blocksOf(text('Three was.'))),
    ]

    for (const form of [toSegments, inLines]) {
      assert.equal(differingSentences(form({ ...before }), form({ ...after })), [
        ['A', 'Three is. '],
        ['A', 'Three was. '],
      ])
    }
  })
})
