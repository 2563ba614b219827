import fc from 'fast-check'
import type { Json } from '../../src/codec/json.ts'
import { readableDiff } from '../../src/codec/readable-diff.ts'
import { compareTexts, type TextLine } from '../../src/codec/text-diff.ts'
import { assert, suite } from '../harness.ts'
import { anyJson, assertSame, longText } from './any-json.ts'

const numbered = (count: number) =>
  Array.from({ length: count }, (_, n) => `This is line number ${n} of all`)
const kinds = (lines: readonly TextLine[]) => lines.map(({ kind }) => kind)
/** The old or the new text, as far as the lines show it; skipped lines taken from the original. */
const side = (lines: readonly TextLine[], which: 'oldLine' | 'newLine', original: string) => {
  const from = original === '' ? [] : original.split('\n')
  const gone = which === 'oldLine' ? 'added' : 'removed'
  const seen: string[] = []
  for (const line of lines) {
    if (line.kind === 'skipped') seen.push(...from.slice(seen.length, seen.length + line.count))
    else if (which in line) {
      seen.push(
        line.parts
          .filter(part => part.kind !== gone)
          .map(part => part.text)
          .join(''),
      )
      assert.is((line as { oldLine: number; newLine: number })[which], seen.length)
    }
  }
  return seen
}

suite('readableDiff', test => {
  test('lists changed, added and removed fields in document order', () => {
    const before = { proto: 'blog', summary: { title: 'Old', gone: [1] }, tags: { a: 1 } }
    const after = {
      tags: { a: 1 },
      summary: { fresh: { b: 2 }, title: 'New' },
      proto: 'blog',
      'x/y': null,
    }

    assert.equal(readableDiff(before, after), [
      { pointer: '/summary/title', kind: 'changed', before: 'Old', after: 'New' },
      { pointer: '/summary/gone', kind: 'removed', before: [1] },
      { pointer: '/summary/fresh', kind: 'added', after: { b: 2 } },
      { pointer: '/x~1y', kind: 'added', after: null },
    ])
  })

  test('tells what only moved within an array as moved, also where two changed places', () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(id => ({ id, text: `the text of ${id}` }))

    assert.equal(readableDiff([a, b, c, d], [b, c, d, a]), [
      { pointer: '/3', kind: 'moved', from: '/0', value: a },
    ])
    assert.equal(readableDiff({ x: [a, b, c, d] }, { x: [d, b, c, a] }), [
      { pointer: '/x/0', kind: 'moved', from: '/x/3', value: d },
      { pointer: '/x/3', kind: 'moved', from: '/x/0', value: a },
    ])
    assert.equal(
      readableDiff([a, b], [b, c, a])
        .map(({ kind }) => kind)
        .sort(),
      ['added', 'moved'],
    )
    assert.equal(
      readableDiff([a, a, b], [b, a])
        .map(({ kind }) => kind)
        .sort(),
      ['moved', 'removed'],
    )
  })

  test('finds the inserted, removed and edited blocks of an array', () => {
    const block = (id: number, text = 'a text') => ({ id, type: 'text', text })

    const changes = readableDiff(
      [block(1), block(2), block(3)],
      [block(9), block(1), block(3, 'b text')],
    )

    assert.equal(changes, [
      { pointer: '/0', kind: 'added', after: block(9) },
      { pointer: '/1', kind: 'removed', before: block(2) },
      { pointer: '/2/text', kind: 'changed', before: 'a text', after: 'b text' },
    ])
  })

  test('lists nothing for equal documents and something for different ones', () => {
    fc.assert(
      fc.property(anyJson(), anyJson(), (before, after) => {
        assert.equal(readableDiff([before] as Json, structuredClone([before]) as Json), [])
        let same = true
        try {
          assertSame(before, after)
        } catch {
          same = false
        }
        assert.is(readableDiff([before], [after]).length === 0, same)
      }),
      { numRuns: 1000 },
    )
  })

  test('compares long texts by lines', () => {
    const [change] = readableDiff(
      { a: { text: numbered(3).join('\n') } },
      { a: { text: numbered(2).join('\n') } },
    )

    assert.is(change?.pointer, '/a/text')
    assert.is(change?.kind, 'text')
    assert.equal(kinds(change?.kind === 'text' ? change.lines : []), ['same', 'same', 'removed'])
  })
})

suite('compareTexts', test => {
  test('shows three lines of context and skips the rest', () => {
    const before = numbered(40)
    const after = before.with(20, 'This is row number 20 of all')

    const lines = compareTexts(before.join('\n'), after.join('\n'))

    assert.equal(kinds(lines), [
      'skipped',
      'same',
      'same',
      'same',
      'changed',
      'same',
      'same',
      'same',
      'skipped',
    ])
    assert.equal(lines[0], { kind: 'skipped', count: 17 })
    assert.equal(lines[4], {
      kind: 'changed',
      parts: [
        { kind: 'same', text: 'This is ' },
        { kind: 'removed', text: 'line' },
        { kind: 'added', text: 'row' },
        { kind: 'same', text: ' number 20 of all' },
      ],
      oldLine: 21,
      newLine: 21,
    })
    assert.equal(lines[8], { kind: 'skipped', count: 16 })
  })

  test('shows a lone line between two contexts rather than skipping it', () => {
    const before = numbered(9)
    const after = before.with(0, 'x').with(8, 'y')

    assert.not(kinds(compareTexts(before.join('\n'), after.join('\n'))).includes('skipped'))
  })

  test('shows a line that has nothing in common as removed and added', () => {
    assert.equal(kinds(compareTexts('one two three\nsame', 'four five six\nsame')), [
      'removed',
      'added',
      'same',
    ])
  })

  test('finds the changed line among inserted ones', () => {
    const lines = compareTexts(
      'a\nthe quick brown fox\nb',
      'a\nwholly new\nthe quick red fox\nand more\nb',
    )

    assert.equal(kinds(lines), ['same', 'added', 'changed', 'added', 'same'])
  })

  test('shows a text that was or became empty', () => {
    assert.equal(kinds(compareTexts('', 'a\nb')), ['added', 'added'])
    assert.equal(kinds(compareTexts('a\nb', '')), ['removed', 'removed'])
  })

  test('shows every line of both texts, for any two texts', () => {
    const variant = fc.tuple(longText(), fc.nat(400), fc.nat(40), longText())
    fc.assert(
      fc.property(variant, ([before, at, removed, inserted]) => {
        const after = before.slice(0, at) + inserted.slice(0, 90) + before.slice(at + removed)
        const lines = compareTexts(before, after)
        assertSame(side(lines, 'oldLine', before), before === '' ? [] : before.split('\n'))
        assertSame(side(lines, 'newLine', after), after === '' ? [] : after.split('\n'))
      }),
      { numRuns: 1000 },
    )
  })

  test('gives up words, then nothing more, for what is large', () => {
    const words = (seed: number) =>
      Array.from({ length: 4000 }, (_, n) => `w${(n * seed) % 601}`).join(' ')

    const lines = compareTexts(`${words(7)} end`, `${words(11)} end`)

    assert.equal(
      lines.map(line => (line.kind === 'changed' ? line.parts.map(part => part.kind) : [])),
      [['removed', 'added']],
    )
  })
})

suite('compareTexts of moved lines', test => {
  const told = (before: readonly string[], after: readonly string[]) =>
    compareTexts(before.join('\n'), after.join('\n')).map(line => {
      if (line.kind === 'skipped') return `… ${line.count}`
      if ('movedTo' in line) return `${line.oldLine} to ${line.movedTo}`
      return 'movedFrom' in line ? `${line.newLine} from ${line.movedFrom}` : line.kind
    })
  const [mill, wheel, hours] = [
    'The mill grinds rye and wheat.',
    'The wheel has twelve blades.',
    'Open on Sundays.',
  ]

  test('names them on both sides, with the empty lines behind them', () => {
    assert.equal(told([mill, '', wheel, '', hours], [wheel, '', mill, '', hours]), [
      '1 to 3',
      '2 to 4',
      'same',
      'same',
      '3 from 1',
      '4 from 2',
      'same',
    ])
  })

  test('does not tell paragraphs apart by their empty lines', () => {
    const added = ['Another paragraph of words.', '', 'And one more of them.', '']

    assert.equal(told([mill, '', hours], [mill, '', ...added, hours]), [
      ...['same', 'same', 'added', 'added', 'added', 'added', 'same'],
    ])
  })

  test('finds changed lines beside moved ones, and none in what stands anywhere', () => {
    const changed = 'The mill grinds rye, wheat and oats.'

    assert.equal(told([mill, wheel, '---'], [wheel, '---', changed]), [
      ...['removed', 'same', 'same', 'added'],
    ])
    assert.equal(told(['---', mill], [mill, '---']), ['removed', 'same', 'added'])
  })

  test('keeps both texts whole whatever they are', () => {
    const line = fc.constantFrom('', '---', mill, wheel, hours, 'x', 'Open on Mondays.')
    const text = fc.array(line, { maxLength: 12 }).map(lines => lines.join('\n'))
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = compareTexts(before, after)
        assert.equal(side(lines, 'oldLine', before).join('\n'), before)
        assert.equal(side(lines, 'newLine', after).join('\n'), after)
        const moves = lines.flatMap(one => ('movedTo' in one ? [[one.oldLine, one.movedTo]] : []))
        const others = lines.flatMap(one =>
          'movedFrom' in one ? [[one.movedFrom, one.newLine]] : [],
        )
        assert.equal(moves.sort(), others.sort())
      }),
    )
  })
})
