import fc from 'fast-check'
import { isPath } from '../../src/content/path.ts'
import { labelFromTitle } from '../../src/content/slug.ts'
import { assert, suite } from '../harness.ts'

const nothing = () => false

suite('labels from titles', test => {
  test('titles of many scripts become readable labels', () => {
    const made: [title: string, label: string][] = [
      ['Über die Größe', 'ueber_die_groesse'],
      ['A\u0308rger & ß', 'aerger_ss'],
      ['日本語テスト', 'ri_ben_yu_tesuto'],
      ['مرحبا بالعالم', 'mrhb_bllm'],
      ['Привет, мир', 'privet_mir'],
      ['Party 🎉', 'party_tada'],
      ['😀', 'grinning'],
      ['Don’t panic', 'dont_panic'],
      ['2016-07-17', '2016_07_17'],
      ['__proto__', 'proto'],
      ['  \u202e!?\0 ', 'page'],
      ['', 'page'],
    ]
    for (const [title, label] of made) assert.is(labelFromTitle(title, nothing), label)
  })

  test('a taken or reserved label gets the next free number', () => {
    const taken = new Set(['news', 'news_2'])
    assert.is(
      labelFromTitle('News', label => taken.has(label)),
      'news_3',
    )
    assert.is(labelFromTitle('API', nothing), 'api_2')
    assert.is(labelFromTitle('constructor', nothing), 'constructor_2')
  })

  test('long titles are cut between words, with room for the number', () => {
    const title = 'The quick brown fox jumps over the lazy dog and runs away'
    const label = labelFromTitle(title, nothing)
    assert.is(label, 'the_quick_brown_fox_jumps_over_the_lazy_dog_and')
    assert.is(
      labelFromTitle(title, tried => tried === label),
      'the_quick_brown_fox_jumps_over_the_lazy_dog_2',
    )
    assert.is(labelFromTitle('x'.repeat(10_000_000), nothing).length, 48)
  })

  test('any titles, one after the other, yield different labels that are valid', () => {
    const title = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constant('!'))
    fc.assert(
      fc.property(fc.array(title, { maxLength: 30 }), titles => {
        const used = new Set<string>()
        for (const text of titles) used.add(labelFromTitle(text, label => used.has(label)))
        assert.is(used.size, titles.length)
        for (const label of used) assert.ok(label.length <= 48 && isPath(`wh.${label}`), label)
      }),
    )
  })
})
