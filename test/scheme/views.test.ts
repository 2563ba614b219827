import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findAsset, PAGE_CSP } from '../../src/scheme/assets.ts'
import { createEngine } from '../../src/scheme/engine.ts'
import { renderHistory } from '../../src/scheme/history-view.ts'
import { Html } from '../../src/scheme/html.ts'
import { needsOf } from '../../src/scheme/needs.ts'
import { renderPage } from '../../src/scheme/page-view.ts'
import { DEFAULT_SCHEME, loadScheme } from '../../src/scheme/scheme.ts'
import { pathOfUrl, safeLink, urlOfPath } from '../../src/scheme/site-urls.ts'
import { assert, suite } from '../harness.ts'
import {
  article,
  backupDocuments,
  documentOf,
  historyView,
  PROTOS,
  pageView,
  scheme,
} from './sample-site.ts'
import { sampleViews } from './sample-views.ts'

const needs = (document: Parameters<typeof pageView>[0]) =>
  needsOf(scheme, { path: 'wh.a', url: '/a/', document, linkQuery: '' })

suite('page views', test => {
  test('show title, abstract, text and dates of every proto, known or not', () => {
    for (const proto of [...PROTOS, 'hologram', '']) {
      const page = renderPage(scheme, pageView(documentOf(proto)))

      assert.match(page, `<h1 dir="auto">A page of kind ${proto}`.trim())
      assert.match(page, 'Some text with a <a href="/visit/">link</a>')
      assert.match(page, '<time datetime="2025-09-20T16:24:55.031Z">20 September 2025</time>')
      if (proto !== 'comment') assert.match(page, 'What it is about, in <em>one</em> sentence.')
    }
  })

  test('show what a proto has of its own', () => {
    const shown = (proto: string) => renderPage(scheme, pageView(documentOf(proto)))

    assert.match(shown('link'), 'href="https://www.example.com/mill/"')
    assert.match(shown('user'), 'href="https://ada.example/"')
    assert.match(shown('predicate'), 'http://purl.org/dc/elements/1.1/coverage')
    assert.match(shown('ontag'), '<td dir="auto">1582</td>')
    assert.match(shown('audio'), '<audio controls')
    assert.match(shown('photo'), 'class="hero"')
    assert.match(shown('emailform'), 'Write to us about visits')
    assert.not.match(shown('emailform'), 'secret@mill.example')
    assert.match(shown('blogsidebar'), 'class="side text"')
    assert.match(shown('blog'), '2 comments')
    assert.match(shown('comment'), 'Test User')
  })

  test('tell search engines and previews what the page is', () => {
    const page = renderPage(scheme, pageView(article))

    assert.match(page, '<link rel="canonical" href="https://mill.example/notebook/wheel/">')
    assert.match(page, '<meta property="og:title" content="The wheel turns again">')
    assert.match(page, '<meta property="og:image" content="https://mill.example/$blob/wheel.svg">')
    assert.match(page, 'rel="alternate" type="application/json"')
    assert.not.match(page, 'noindex')
    assert.match(renderPage(scheme, pageView({ ...article, hidden: true })), 'noindex')
  })

  test('hold nothing that a strict content security policy forbids', () => {
    const own = /<script type="module" src="\/\$static\/[0-9a-f]{16}\/[a-z-]+\.js"><\/script>/g
    for (const page of sampleViews().values()) {
      assert.not.match(page.replaceAll(own, ''), /<script|<style|\sstyle=|\son[a-z]+=/)
    }
    assert.match(PAGE_CSP, "default-src 'none'")
  })

  const documents = backupDocuments()
  if (documents === null) test.skip('render a real backup', 'there is none')
  for (const [path, { document }] of documents ?? []) {
    test(`render ${path} of a real backup`, () => {
      const view = pageView(document)
      const page = renderPage(scheme, {
        ...view,
        page: { ...view.page, path, url: urlOfPath(path) },
      })

      assert.match(page, String(document.summary['title']))
    })
  }

  test('do not mind a document in which everything has the wrong type', () => {
    const wrong = { title: 7, abstract: {}, url: [], author: null, identity: 'x' }
    for (const proto of PROTOS) {
      const document = {
        ...{ proto, hidden: false, summary: wrong },
        ...{
          data: { posting: 7, sidebar: [], properties: 'x', comment: 4 },
          tags: { plain: 'x', a: [1, null] },
        },
      }

      assert.match(renderPage(scheme, pageView(document)), 'Untitled')
    }
  })
})

suite('needs of a page', test => {
  test('are its children in the order its proto shows them', () => {
    const children = (proto: string) => needs(documentOf(proto)).listings[0]

    assert.equal([children('blogindex')?.sort, children('blogindex')?.perPage], ['created', 15])
    assert.equal([children('imageindex')?.sort, children('imageindex')?.layout], ['path', 'grid'])
    assert.is(children('predicate')?.select, 'uses')
    assert.is(children('blog'), undefined)
    assert.ok(needs(documentOf('blog')).comments)
  })

  test('are no children when a listing of its text or a wish of its author says so', () => {
    const posting = { format: 'indexfeed', query: 'dir' }
    const listed = { ...documentOf('index'), data: { posting } }
    const excluded = { ...documentOf('base'), data: { excludeChildrenDisplay: 'true' } }

    assert.equal(
      needs(listed).listings.map(({ key }) => key),
      ['posting'],
    )
    assert.equal(needs(excluded).listings, [])
  })

  test('are the pictures and pages that its text and tags name', () => {
    assert.equal(needs(article).images, ['wh.pictures.wheel'])
    assert.equal(needs(article).links, ['wh.meta.dc.coverage', 'wh.meta.north_quay'])
  })
})

suite('history', test => {
  test('chooses the two newest readable revisions to compare and links each to its change', () => {
    const page = renderHistory(scheme, historyView)

    assert.match(page, 'name="to" value="7" aria-label="Compare to revision 7" checked')
    assert.match(page, 'name="from" value="6" aria-label="Compare from revision 6" checked')
    assert.match(page, 'aria-label="What revision 4 changed"')
    assert.match(page, '7 revisions')
  })
})

suite('a scheme', test => {
  test('serves its files under URLs made of their content only', () => {
    const style = scheme.assets.get('style.css')

    assert.match(style?.url ?? '', /^\/\$static\/[0-9a-f]{16}\/style\.css$/)
    assert.is(findAsset(scheme.assets, style?.url ?? ''), style)
    assert.is(findAsset(scheme.assets, '/$static/0000000000000000/style.css'), null)
    assert.is(findAsset(scheme.assets, '/$static/../style.css'), null)
    assert.ok((style?.bytes.length ?? 0) < 20_000)
  })

  test('can be laid over another, file by file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rm3-scheme-'))
    writeFileSync(join(folder, 'error.liquid'), 'mine: {{ title }}')
    const mine = loadScheme([DEFAULT_SCHEME, folder])
    rmSync(folder, { recursive: true })

    assert.match(mine.engine.render('error', { title: '<b>' }), 'mine: &lt;b&gt;')
    assert.match(renderPage(mine, pageView(article)), '<main')
  })

  test('cannot write a text unescaped, read a prototype, or run for long', () => {
    const render = (template: string, context: object) =>
      createEngine({ t: template }).render('t', context)

    assert.throws(() => render('{{ a | raw }}', { a: '<b>' }), /raw/)
    assert.is(render('{{ a }}{{ h }}', { a: '<b>', h: new Html('<i>') }), '&lt;b&gt;<i>')
    assert.is(render('{{ a.constructor.name }}{{ a.__proto__ }}', { a: {} }), '')
    assert.throws(() => render('{% for a in (1..100000000) %}x{% endfor %}', {}))
  })
})

suite('URLs of the site', test => {
  test('lead to paths and back', () => {
    assert.is(urlOfPath('wh'), '/')
    assert.is(urlOfPath('wh.blog.my_post'), '/blog/my_post/')
    assert.is(pathOfUrl('/blog/my_post/', '/'), 'wh.blog.my_post')
    assert.is(pathOfUrl('../x', '/a/b/'), 'wh.a.x')
    assert.is(pathOfUrl('//other.example/x', '/'), null)
    assert.is(pathOfUrl('/x.png', '/'), null)
  })

  test('are told from what must not be followed', () => {
    assert.is(safeLink('/a/?b=c:d'), '/a/?b=c:d')
    assert.is(safeLink('https://x.example'), 'https://x.example/')
    for (const bad of [
      'javascript:x',
      ' java\nscript:x',
      '//x.example',
      '/\\x.example',
      'data:,x',
      '',
      7,
    ]) {
      assert.is(safeLink(bad), null)
    }
  })
})
