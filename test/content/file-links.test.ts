import { fileLinkKey, fileLinksOf, followFileLink } from '../../src/content/file-links.ts'
import { hyperlinksOf, referencesOf } from '../../src/content/hyperlinks.ts'
import { assert, suite } from '../harness.ts'

const documentWith = (fileLinks: unknown, source = '', format = 'markdown') => ({
  ...{ proto: 'base', hidden: false, summary: {}, tags: {} },
  data: { posting: { format, source }, fileLinks: fileLinks as never },
})

suite('links from file to file', test => {
  test('are told from addresses elsewhere, by their decoded path', () => {
    assert.is(fileLinkKey('./My%20File.md?x#part'), './My File.md')
    assert.is(fileLinkKey('../a.md'), '../a.md')
    assert.is(fileLinkKey('/docs/a%zz.md'), '/docs/a%zz.md')
    for (const href of ['#part', '', '?x', 'https://x.org/a.md', '//x.org/a.md', 'mailto:a@b.c']) {
      assert.is(fileLinkKey(href), null, href)
    }
  })

  test('lead to the site with their query and fragment, and all others where they did', () => {
    const links = { './a.md': '/docs/a/' }

    assert.is(followFileLink(links, './a.md'), '/docs/a/')
    assert.is(followFileLink(links, './a.md?x=1#part'), '/docs/a/?x=1#part')
    assert.is(followFileLink(links, './b.md#part'), './b.md#part')
    assert.is(followFileLink(links, 'constructor'), 'constructor')
  })

  test('lead nowhere but to the site, whoever wrote the document', () => {
    const given = {
      ...{ a: '/docs/a/', b: 'javascript:alert(1)', c: '//x.org/', d: '/\\x.org/' },
      ...{ e: 'https://x.org/', f: '/"><script>', g: 7, h: '/docs/$file/a%20b.png' },
    }

    assert.equal(fileLinksOf(documentWith(given)), { a: '/docs/a/', h: '/docs/$file/a%20b.png' })
    for (const odd of [null, [], 'x', 7]) assert.equal(fileLinksOf(documentWith(odd)), {})
  })

  test('count as links of the page to the page that they lead to', () => {
    const document = documentWith(
      { './Other.md': '/docs/other/' },
      '[x](./Other.md#y) [z](./No.md)',
    )

    assert.equal(hyperlinksOf(document, 'wh.docs.one')[0], { type: 'page', path: 'wh.docs.other' })
  })

  test('and pictures are found in Markdown and HTML, but not in code', () => {
    const markdown = [
      '[a](./a.md "A") ![b](b.png) [![c](c.png)](c.md)',
      '[d]: ../d.md',
      'a [text\nover lines](g.md#x)',
      '<img src="e.png"> <a href="f.md">F</a>',
      '`[no](no.md)`',
      '```\n[no](no.md)\n```',
    ].join('\n\n')

    assert.equal(referencesOf(documentWith(null, markdown)).sort(), [
      '../d.md',
      './a.md',
      'b.png',
      'c.md',
      'c.png',
      'e.png',
      'f.md',
      'g.md#x',
    ])
    assert.equal(
      referencesOf(documentWith(null, '<a href="a.md?x&amp;y">A</a><img src=b.png>', 'html')),
      ['a.md?x&y', 'b.png'],
    )
  })
})
