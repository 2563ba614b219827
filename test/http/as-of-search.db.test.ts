import { change } from '../../src/commands/change.ts'
import { createPage, deletePage, movePage, pageAt, revisePage } from '../../src/commands/pages.ts'
import type { Document } from '../../src/content/document.ts'
import { readHead } from '../../src/log/read.ts'
import type { Following } from '../../src/projector/follow.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { browse, follow, found } from './html-site.ts'
import { member, page, putGrants, type TestServer, testServer } from './support.ts'

function written(title: string, source: string, more: Partial<Document> = {}): Document {
  return page(title, { data: { posting: { format: 'markdown', source } }, ...more })
}

suite('search, links and feeds as of a time', test => {
  let open: TestServer
  let following: Following
  /** Positions: when all was made, and after it was changed. */
  const at = { made: 0, end: 0 }
  const end = async () => (await readHead(open.site.db)).position
  const put = (path: string, document: Document) =>
    change(open.site, AS_ROOT, it => createPage(it, { path, document }))
  const revise = (path: string, document: Document) =>
    change(open.site, AS_ROOT, async it => {
      const ifMatch = (await pageAt(it, path)).sinceId ?? ''
      await revisePage(it, path, { ifMatch, edit: () => document })
    })
  const items = async (url: string, name = 'items') => {
    const answer = await open.server.inject(url)
    assert.is(answer.statusCode, 200, answer.body)
    return member(answer.body, name) as { path: string; title: string; type: string }[]
  }
  const paths = async (url: string, name = 'items') =>
    (await items(url, name)).map(({ path }) => path)

  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ['nobody', 'view', 'wh.!secret.*'],
      ['nobody', 'history', 'wh.!closed.*'],
    ])
    await put('wh', written('Home', 'Welcome.'))
    await put('wh.a', written('A river', 'It has water and stones. [Home](/)'))
    await put(
      'wh.b',
      written('B', 'Stones in a river bed. [Home](/) [there](https://example.org/)'),
    )
    await put('wh.closed', written('Closed', 'A river with stones. [Home](/)'))
    await put('wh.leaving', written('Leaving', 'Stones at the river. [Home](/)'))
    at.made = await end()
    await revise('wh.a', written('A hill', 'Only stones. [B](/b/)'))
    await revise('wh.b', written('B', 'A river, without any.'))
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.leaving', 'wh.secret'))
    await put('wh.late', written('Late', 'A river with stones.'))
    at.end = await end()
    following = await follow(open)
    await found(open)
  })
  test.after(async () => {
    await following.stop()
    await open.close()
  })

  test('finds what had the words then, where the past may be read', async () => {
    const then = `at=position:${at.made}`

    assert.equal((await paths('/api/search?q=river%20stones')).sort(), ['wh.closed', 'wh.late'])
    assert.equal((await paths(`/api/search?q=river%20stones&${then}`)).sort(), ['wh.a', 'wh.b'])
    assert.equal(await paths(`/api/search?q="river%20bed"&${then}`), ['wh.b'])
    assert.equal(await paths(`/api/search?q=stones%20-bed&${then}`), ['wh.a'])
    assert.equal(await paths(`/api/search?q=-bed&${then}`), [])
    const [first] = await items(`/api/search?q=water%20stones&${then}`)
    assert.equal([first?.path, first?.title], ['wh.a', 'A river'])
  })

  test('finds what has none of the words any more, and what is gone', async () => {
    await put('wh.lost', written('Lost', 'Herons nest at the weir.'))
    await put('wh.lost.deep', written('Deep', 'A heron, seen once.'))
    const then = `at=position:${await end()}`
    await revise('wh.lost', written('Lost', 'Nothing of the sort.'))
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.lost.deep'))
    await found(open)

    assert.equal(await paths('/api/search?q=heron'), [])
    assert.equal((await paths(`/api/search?q=heron%20or%20herons&${then}`)).sort(), [
      'wh.lost',
      'wh.lost.deep',
    ])
    assert.equal(await paths(`/api/search?q="nest%20at%20the%20weir"&${then}`), ['wh.lost'])
    assert.equal(await paths(`/api/search?q=weir%20-nest&${then}`), [])
    assert.equal(await paths(`/api/search?q=heron&parent=wh.lost&${then}`), ['wh.lost.deep'])
    assert.equal(await paths(`/api/search?q=weir&at=position:${at.made}`), [])
  })

  test('goes on with a cursor of the same time', async () => {
    const url = `/api/search?q=river%20or%20stones&limit=1&at=position:${at.made}`
    const one = await open.server.inject(url)
    const next = String(member(one.body, 'next'))
    const two = await paths(`${url}&after=${next}`)
    const other = await open.server.inject(
      `/api/search?q=river%20or%20stones&limit=1&after=${next}`,
    )

    assert.equal([...(await paths(url)), ...two].sort(), ['wh.a', 'wh.b'])
    assert.is(other.statusCode, 400)
  })

  test('tells where pages led and which led to them', async () => {
    const then = `?at=position:${at.made}`

    assert.equal(await paths(`/api/pages/wh/links${then}`, 'to'), ['wh.a', 'wh.b'])
    assert.equal(await paths('/api/pages/wh/links', 'to'), ['wh.closed'])
    assert.equal(await paths(`/api/pages/wh.a/links${then}`, 'from'), ['wh'])
    assert.equal(await paths('/api/pages/wh.a/links', 'from'), ['wh.b'])
    assert.is((await open.server.inject(`/api/pages/wh.leaving/links${then}`)).statusCode, 404)
    assert.is((await open.server.inject(`/api/pages/wh.closed/links${then}`)).statusCode, 401)
  })

  test('lists deeds and revisions by then, of the page that was there', async () => {
    const { length: deeds } = await items(`/api/activity?path=wh.a&at=position:${at.made}`)
    const revisions = await items(`/api/pages/wh.a/revisions?at=position:${at.made}`)
    const before = await open.server.inject('/api/pages/wh.a/revisions?at=position:1')

    assert.is(deeds, 1)
    assert.equal(
      revisions.map(({ type }) => type),
      ['PageCreated'],
    )
    assert.is((await items('/api/pages/wh.a/revisions')).length, 2)
    assert.is(before.statusCode, 404)
  })

  test('follows a page that moved by where it was', async () => {
    await put('wh.here', written('Here', 'x'))
    const then = await end()
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.here', 'wh.there'))
    await put('wh.here', written('Another', 'x'))
    const [old] = await items(`/api/pages/wh.here/revisions?at=position:${then}`)
    const [now] = await items('/api/pages/wh.here/revisions')

    assert.is.not(old?.['revisionId' as 'type'], now?.['revisionId' as 'type'])
  })

  test('makes the feed of then, with links that stay there', async () => {
    const feed = await open.server.inject(`/feed.atom?at=position:${at.made}`)
    const titles = [...feed.body.matchAll(/<entry>\n<title>([^<]*)/g)].map(([, title]) => title)

    assert.equal(titles, ['B', 'A river', 'Home'])
    assert.ok(feed.body.includes(`href="/b/?at=position%3A${at.made}"`))
    assert.is(feed.headers['cache-control'], 'public, max-age=3600, immutable')
  })

  test('is searched in a browser, in that time', async () => {
    const then = `at=${encodeURIComponent(`position:${at.made}`)}`
    const front = await open.server.inject(browse(`/?${then}`))
    const hits = await open.server.inject(browse(`/$search/?q=river&${then}`))

    assert.ok(front.body.includes(`<input type="hidden" name="at" value="position:${at.made}">`))
    assert.ok(hits.body.includes(`href="/b/?${then}"`))
    assert.match(hits.body, '<mark>river</mark>')
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.b'))
    const again = await open.server.inject(browse(`/b/?${then}`))
    assert.is(again.statusCode, 200)
  })
})
