import { performance } from 'node:perf_hooks'
import fc from 'fast-check'
import type { Document, Json } from '../../src/content/document.ts'
import { hyperlinksOf } from '../../src/content/hyperlinks.ts'
import { proseOf } from '../../src/content/prose.ts'
import { assert, suite } from '../harness.ts'

function documentWith(data: Record<string, Json>, summary: Record<string, Json> = {}): Document {
  return { proto: 'base', hidden: false, summary: { title: 'A title', ...summary }, data, tags: {} }
}

const bodyOf = (format: string, source: string) =>
  proseOf(documentWith({ posting: { format, source } })).body

const linksIn = (format: string, source: string, path = 'wh.a.b') =>
  hyperlinksOf(documentWith({ posting: { format, source } }), path).map(link =>
    link.type === 'page' ? link.path : link.url,
  )

suite('words of a document', test => {
  test('are those of its title, abstract and texts, in sections too', () => {
    const document = documentWith(
      {
        posting: {
          format: 'section',
          blocks: [
            { format: 'markdown', source: '# One\n\ntwo' },
            { format: 'indexfeed', query: 'dir' },
            { format: 'section', blocks: [{ format: 'html', source: '<p>three</p>' }] },
          ],
        },
        sidebar: { format: 'plainishtext', source: 'four < five' },
        comment: '<b>six</b>',
        other: { source: 'seven' },
      },
      { abstract: 'An <em>abs</em>tract &amp; more' },
    )

    assert.equal(proseOf(document), {
      title: 'A title',
      abstract: 'An abstract & more',
      body: 'One two three four < five six',
    })
  })

  test('are without what Markdown marks them with', () => {
    const source =
      '> **bold** and `code` with [a link](/x/ "title") and ![a picture](/y.png)\n\n- item [ref][1]\n\n[1]: http://example.org/\n\n```js\nlet x = 1\n```\n| a | b |\n'

    assert.is(
      bodyOf('markdown', source),
      'bold and code with a link and a picture item ref let x = 1 | a | b |',
    )
  })

  test('are without elements, comments, scripts and styles, and entities are what they stand for', () => {
    const source =
      '<h1 class="x">T<b>i</b>tle</h1><!-- <p>no</p> --><script>no()</script><STYLE>no</STYLE><br>5 < 6 &lt;b&gt; &#228;&#xe4;&uuml; &unknown; &#xd800;<p'

    assert.is(bodyOf('html', source), 'Title 5 < 6 <b> ääü &unknown;')
  })

  test('are those of old slabs where there is no source', () => {
    const posting = {
      format: 'markdown',
      htmlslabs: ['<p>old ', { name: 'siteImage' }, 'text</p>'],
    }

    assert.is(proseOf(documentWith({ posting })).body, 'old text')
  })

  test('are bounded, control characters are spaces, and no character is cut in two', () => {
    const { body } = proseOf(
      documentWith({
        posting: { format: 'plainishtext', source: `a\u0002\n${'😀'.repeat(60_000)}` },
      }),
    )

    assert.is(body.slice(0, 3), 'a 😀'.slice(0, 3))
    assert.is(body.length, 100_000)
    assert.not.match(
      proseOf(
        documentWith({ posting: { format: 'plainishtext', source: `${'😀'.repeat(60_000)}` } }),
      ).body,
      /[\ud800-\udbff]$/,
    )
  })
})

suite('links of a document', test => {
  test('are those of Markdown and of HTML in it, each once, in their order', () => {
    const source = [
      '[one](/one/) [two](../two/ "t") <https://example.org/a> [three][3] [one again](/one/#part)',
      '![picture](/p/$/x.png) [![picture](/p.png)](/four/) <a href="/five/?a=1&amp;b=2">x</a> <A HREF=six/>x</A>',
      '`[no](/no/)` [mail](mailto:a@example.org) [place](#here) [run](javascript:alert(1))',
      '',
      '```',
      '[no](/no/)',
      '```',
      '[3]: /three/',
    ].join('\n')

    assert.equal(linksIn('markdown', source), [
      ...['wh.one', 'wh.a.two', 'wh.four', 'wh.three', 'https://example.org/a', 'wh.five'],
      'wh.a.b.six',
    ])
  })

  test('in HTML are its anchors; plain text has none', () => {
    assert.equal(linksIn('html', `<a class='x' href='/X/$/file.pdf'>x</a> [no](/no/)`), ['wh.x'])
    assert.equal(linksIn('plainishtext', '<a href="/x/">x</a> [x](/x/)'), [])
  })

  test('that lead to no page of the site are addresses', () => {
    assert.equal(linksIn('markdown', '[a](/api/docs?x=1) [b](/what.ever/) [c](//example.org/)'), [
      'wh.api.docs',
      '/what.ever/',
      'https://example.org/',
    ])
  })
})

const NASTY = [
  '[',
  ']',
  '(',
  ')',
  '![',
  '](',
  '<',
  '<a ',
  '<!--',
  '`',
  '```\n',
  '\n',
  ' ',
  'x',
  '&',
  '~~~',
  '*',
  '"',
  '/',
]

suite('texts of any kind', test => {
  test('are read in time that grows with their length only', () => {
    const lengths = 200_000
    for (const part of [
      ...NASTY,
      '[x](',
      '[![](',
      '<a href="',
      '&#',
      '[a]: <',
      '`a',
      '<script',
      '[x](a(',
    ]) {
      const source = part.repeat(Math.ceil(lengths / part.length))
      const start = performance.now()
      bodyOf('markdown', source)
      linksIn('markdown', source)
      const took = performance.now() - start
      assert.ok(took < 2_000, `${JSON.stringify(part)} took ${took.toFixed(0)} ms`)
    }
  })

  test('never throw, and leave neither line breaks nor control characters', () => {
    const anyText = fc.array(fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary' })))
    fc.assert(
      fc.property(anyText, fc.constantFrom('markdown', 'html', 'other'), (parts, format) => {
        const body = bodyOf(format, parts.join(''))
        linksIn(format, parts.join(''))
        assert.not.match(body, /[\p{Cc}\n]/u)
      }),
      { numRuns: 300 },
    )
  })
})
