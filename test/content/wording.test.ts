import { toSegments } from '../../src/codec/segments.ts'
import { changedWords, hashOf, sentencesOf, wordsOf } from '../../src/content/wording.ts'
import { assert, suite } from '../harness.ts'
import { text } from '../http/html-site.ts'

const stored = (title: string, source: string) => toSegments({ ...text(title, source) } as never)
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
})
