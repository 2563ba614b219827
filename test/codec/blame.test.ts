import fc from 'fast-check'
import { type BlameNode, blameChange, blameNew } from '../../src/codec/blame.ts'
import { type BlameLine, blameFields } from '../../src/codec/blame-fields.ts'
import { makeChange } from '../../src/codec/change.ts'
import type { Json } from '../../src/codec/json.ts'
import { toSegments } from '../../src/codec/segments.ts'
import { assert, suite } from '../harness.ts'

/** Documents one after the other, revisions from 1. */
function blamed(documents: readonly Json[]): BlameNode {
  const [first = null, ...rest] = documents
  let tree = blameNew(toSegments(first), 1)
  let before = first
  rest.forEach((document, index) => {
    tree = blameChange(tree, makeChange(before, document), index + 2)
    before = document
  })
  return tree
}

function linesOf(documents: readonly Json[], pointer = ''): readonly BlameLine[] {
  const field = blameFields(blamed(documents)).find(one => one.pointer === pointer)
  return field !== undefined && 'lines' in field ? field.lines : []
}

const told = (lines: readonly BlameLine[]) =>
  lines.map(({ revision, parts }) => [revision, parts.map(part => `${part.revision}:${part.text}`)])
const revisions = (lines: readonly BlameLine[]) => lines.map(({ revision }) => revision)
const LONG = Array.from({ length: 12 }, (_, n) => `This is line number ${n} of a long text.`)

suite('blame', test => {
  test('tells who changed a field, and who wrote which words of a line', () => {
    const fields = blameFields(
      blamed([
        { title: 'The old mill', count: 1, list: ['a'] },
        { title: 'The very old mill', count: 1, list: ['a'] },
        { title: 'The very old mill', count: 2, list: ['a', 'b'] },
      ]),
    )

    assert.equal(
      fields.map(({ pointer, revision }) => [pointer, revision]),
      [
        ['/title', 2],
        ['/count', 3],
        ['/list/0', 1],
        ['/list/1', 3],
      ],
    )
    const [title] = fields
    assert.equal(told(title !== undefined && 'lines' in title ? title.lines : []), [
      [2, ['1:The ', '2:very ', '1:old mill']],
    ])
  })

  test('goes by lines in long texts, and by words in lines', () => {
    const second = LONG.with(3, 'This is line number three of a long text.')
    const third = second.toSpliced(5, 0, 'Something else is said here.').toSpliced(0, 1)
    const lines = linesOf([LONG, second, third].map(text => text.join('\n')))

    assert.equal(revisions(lines), [1, 1, 2, 1, 3, 1, 1, 1, 1, 1, 1, 1])
    assert.equal(told(lines)[2], [2, ['1:This is line number ', '2:three', '1: of a long text.']])
  })

  test('knows lines and blocks that only moved, also when both ends changed', () => {
    const moved = [...LONG.slice(4), ...LONG.slice(0, 4)]
    const edited = LONG.with(1, 'This is line number one of a long text.')
    const swapped = edited.with(0, edited[11] ?? '').with(11, edited[0] ?? '')
    const block = (id: number) => ({ id, text: `A text of the block ${id}` })

    assert.equal(new Set(revisions(linesOf([LONG.join('\n'), moved.join('\n')]))), new Set([1]))
    assert.equal(
      revisions(linesOf([LONG, edited, swapped].map(text => text.join('\n')))),
      LONG.map((_, n) => (n === 1 ? 2 : 1)),
    )
    assert.equal(
      blameFields(
        blamed([
          [block(1), block(2), block(3)],
          [block(3), block(1), block(2)],
        ]),
      ).map(({ revision }) => revision),
      [1, 1, 1, 1, 1, 1],
    )
  })

  test('names a revision of empty texts and lines too', () => {
    const fields = blameFields(blamed([{ a: '' }, { a: '', b: 'One.\n\nTwo.\n' }]))

    assert.equal(
      fields.map(field => ('lines' in field ? revisions(field.lines) : [])),
      [[1], [2, 2, 2, 2]],
    )
  })

  test('lets a line that lost words be of who took them', () => {
    const lines = linesOf([
      LONG.join('\n'),
      LONG.with(2, 'This is line number of a long text.').join('\n'),
    ])

    assert.equal(told(lines)[2], [2, ['1:This is line number of a long text.']])
  })

  test('keeps writers when a text becomes long enough to be kept in segments, and short again', () => {
    const short = 'One line.\nAnother line.'
    const long = [short, ...LONG].join('\n')

    assert.equal(revisions(linesOf([short, long])), [1, 1, ...LONG.map(() => 2)])
    assert.equal(revisions(linesOf([long, short])), [1, 1])
  })

  test('finds the writer of every word, whatever was edited, moved, inserted and removed', () => {
    type Edit = { kind: 'word' | 'insert' | 'remove' | 'move'; at: number; to: number }
    const edit = fc.record({
      kind: fc.constantFrom<Edit['kind'][]>('word', 'word', 'insert', 'remove', 'move'),
      at: fc.nat(1000),
      to: fc.nat(1000),
    })
    const line = (revision: number, n: number) =>
      Array.from({ length: 9 }, (_, word) => `r${revision}_${n}_${word}`).join(' ')
    const next = (lines: readonly string[], { kind, at, to }: Edit, revision: number) => {
      const index = at % lines.length
      const old = lines[index] ?? ''
      if (kind === 'insert') return lines.toSpliced(index, 0, line(revision, at))
      if (kind === 'remove') return lines.length > 4 ? lines.toSpliced(index, 1) : lines
      if (kind === 'move') return lines.toSpliced(index, 1).toSpliced(to % lines.length, 0, old)
      const words = old.split(' ')
      return lines.with(index, words.with(to % words.length, `r${revision}_x_${to}`).join(' '))
    }
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 40 }), edits => {
        const texts: (readonly string[])[] = [Array.from({ length: 8 }, (_, n) => line(1, n))]
        for (const one of edits) texts.push(next(texts.at(-1) ?? [], one, texts.length + 1))
        const lines = linesOf(texts.map(text => text.join('\n')))
        const seen = lines.map(({ parts }) => parts.map(({ text }) => text).join(''))

        assert.equal(seen, texts.at(-1))
        for (const { parts } of lines) {
          for (const { text, revision } of parts) {
            const writers = [...text.matchAll(/r(\d+)_/g)].map(([, writer]) => Number(writer))
            assert.ok(
              writers.every(writer => writer === revision),
              `${text} by ${revision}`,
            )
          }
        }
      }),
      { numRuns: 150 },
    )
  })

  test('keeps short and empty lines of a text whose list of lines is given anew', () => {
    const rest = Array.from({ length: 6 }, (_, n) => `Paragraph number ${n} of it.`)
    const first = ['# Mill', '', ...rest, '', 'End'].join('\n')
    const second = ['# Mill', '', ...rest.toReversed(), '', 'The end'].join('\n')

    assert.equal(revisions(linesOf([first, second])).slice(0, 2), [1, 1])
    const whole = [{ op: 'replace', path: '/$text', value: second.split(/(?<=\n)/) }] as const
    const tree = blameChange(blameNew({ $text: first.split(/(?<=\n)/) }, 1), whole, 2)
    const [field] = blameFields(tree)
    const lines = field !== undefined && 'lines' in field ? field.lines : []
    assert.equal(revisions(lines), [1, 1, ...rest.map(() => 1), 1, 2])
  })

  test('keeps what is the same in a list that is given anew', () => {
    const tree = blameChange(
      blameNew(
        {
          list: [
            { id: 1, text: 'one' },
            { id: 2, text: 'two' },
          ],
        },
        1,
      ),
      [
        {
          op: 'replace',
          path: '/list',
          value: [
            { id: 2, text: 'two' },
            { id: 3, text: 'x' },
          ],
        },
      ],
      2,
    )

    assert.equal(
      blameFields(tree).map(({ pointer, revision }) => [pointer, revision]),
      [
        ['/list/0/id', 1],
        ['/list/0/text', 1],
        ['/list/1/id', 2],
        ['/list/1/text', 2],
      ],
    )
  })
})
