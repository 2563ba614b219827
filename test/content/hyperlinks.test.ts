import MarkdownIt from 'markdown-it'
import { toSegments } from '../../src/codec/segments.ts'
import { hyperlinksOf, keyOfLink, mayLink } from '../../src/content/hyperlinks.ts'
import { assert, suite } from '../harness.ts'

suite('hyperlinksOf', test => {
  const pageOf = (source: string, proto = 'base') => ({
    proto,
    hidden: false,
    summary: { title: '', abstract: '' },
    data: { posting: { format: 'markdown', source } },
    tags: {},
  })
  const markdown = (source: string) => hyperlinksOf(pageOf(source), 'wh').map(keyOfLink)
  const SOURCES = {
    'a text over lines': '[a\nb](/x/)',
    'a text over lines, with a break of two spaces': '[a  \n   b](/x/)',
    'a text over three lines in a quotation': '> [a\n> b\n> c](/x/)',
    'a picture in a text over lines': '[a ![i\nj](/i.png)\nb](/x/ "t")',
    'an address on the next line': '[a](\n/x/)',
    'code over lines': '`a\n[b](/x/)`',
    'brackets of two paragraphs': '[a\n\nb](/x/)',
    'brackets of two items': '- [a\n- b](/x/)',
    'brackets of an item with a number and its text': '1. [a\n2. b](/x/)',
    'a bracket before a heading': '[a\n# b](/x/)',
    'a bracket before code': '[a\n```\nb](/x/)\n```',
    'many lines': `[${'word\n'.repeat(50)}](/x/)`,
  }

  test('are not looked for in what cannot have any', () => {
    const long = (end: string) => toSegments(pageOf(`${'A line of text.\n'.repeat(100)}${end}`))

    assert.not(mayLink(long('The end.')))
    assert.ok(mayLink(long('<https://a.example/>')))
    assert.ok(mayLink(toSegments(pageOf('', 'link'))))
  })

  for (const [what, source] of Object.entries(SOURCES)) {
    test(`finds in ${what} the links that readers see`, () => {
      const html = new MarkdownIt().render(source)
      const seen = [...html.matchAll(/<a href="([^"]*)"/g)].map(([, href]) => href)

      assert.equal(
        markdown(source),
        seen.map(() => 'page wh.x'),
      )
      assert.ok(seen.length === 0 || mayLink(toSegments(pageOf(source))))
    })
  }

  test('takes as long for a text twice as long, whatever it is', () => {
    for (const part of ['[', '[a\n', '`a\n', '[a ![\n', '](', '[a](\n']) {
      const started = performance.now()
      markdown(part.repeat(900_000 / part.length))
      const ms = performance.now() - started
      assert.ok(ms < 3_000, `${JSON.stringify(part)} took ${ms} ms`)
    }
  })
})
