import { readFrontMatter } from '../../../src/backup/git/front-matter.ts'
import { assert, suite } from '../../harness.ts'

const read = (...lines: string[]) =>
  readFrontMatter(['---', ...lines, '---', 'Text', ''].join('\n'))

suite('front matter', test => {
  test('is cut off, and block and body are the text', () => {
    for (const text of [
      '---\ntitle: A\n---\nText\n',
      '---\r\ntitle: A\r\n---\r\nText',
      '\ufeff---\n---\nText',
      '+++\ntitle = "A"\n+++\nText',
      '---\ntitle: A\n---',
    ]) {
      const { block, body } = readFrontMatter(text)

      assert.is(block + body, text)
      assert.is.not(block, '')
    }
  })

  test('is not what only looks like it', () => {
    for (const text of ['', '---', '---\nno end', 'Text\n---\na: b\n---\n', '----\na: b\n----\n']) {
      assert.equal(readFrontMatter(text), { block: '', body: text, fields: {}, unread: [] })
    }
  })

  test('has scalars of every kind', () => {
    const { fields, unread } = read(
      'title: Getting started  # not part of it',
      'plain: a: b',
      'double: "x \\"y\\" \\u00e4"',
      "single: 'it''s'",
      'yes: true',
      'no: False',
      'nothing: ~',
      'empty:',
      'count: 12',
      'price: -1.5',
    )

    assert.equal(unread, [])
    assert.equal(fields, {
      title: 'Getting started',
      plain: 'a: b',
      double: 'x "y" ä',
      single: "it's",
      yes: true,
      no: false,
      nothing: null,
      empty: null,
      count: 12,
      price: -1.5,
    })
  })

  test('keeps numbers as texts that would come back as others', () => {
    const { fields } = read(
      'version: 1.10',
      'code: 007',
      'big: 9007199254740993',
      'when: 2024-05-01',
    )

    assert.equal(fields, {
      version: '1.10',
      code: '007',
      big: '9007199254740993',
      when: '2024-05-01',
    })
  })

  test('has lists, JSON, texts of several lines and keys within keys', () => {
    const { fields, unread } = read(
      'tags: [a, "b, c", \'d\' , 4]',
      'none: []',
      'json: {"a": [1, {"b": null}]}',
      'list:',
      '  - one',
      '  - "two"',
      'flat:',
      '- x',
      'folded: >',
      '  a',
      '  b',
      '',
      '  c',
      'literal: |-',
      '  a',
      '    b',
      'author:',
      '  name: Ann',
      '  age: 5',
      'last: z',
    )

    assert.equal(unread, [])
    assert.equal(fields, {
      tags: ['a', 'b, c', 'd', 4],
      none: [],
      json: { a: [1, { b: null }] },
      list: ['one', 'two'],
      flat: ['x'],
      folded: 'a b\n\nc',
      literal: 'a\n  b',
      author: { name: 'Ann', age: 5 },
      last: 'z',
    })
  })

  test('names the lines that it does not understand and reads the others', () => {
    const { fields, unread } = read(
      'title: A',
      'x: &anchor 1',
      '!!',
      'title: twice',
      '__proto__: y',
      'z: 1',
    )

    assert.equal(fields, { title: 'A', z: 1 })
    assert.equal(unread, [3, 4, 5, 6])
  })

  test('takes no time for what is made to take it', () => {
    const started = Date.now()
    for (const text of [
      `---\n${'a: b\n'.repeat(200_000)}`,
      `---\na: ${'['.repeat(60_000)}\n---\n`,
      `---\na: "${'\\'.repeat(60_000)}\n---\n`,
      `---\na: [${'a ,'.repeat(20_000)}\n---\n`,
      `---\na: '${"''".repeat(30_000)}x\n---\n`,
      `---\n${' '.repeat(60_000)}x\n---\n`,
    ]) {
      readFrontMatter(text)
    }

    assert.ok(Date.now() - started < 2_000)
  })
})
