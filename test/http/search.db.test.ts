import { change } from '../../src/commands/change.ts'
import { createPage, deletePage, movePage, pageAt, revisePage } from '../../src/commands/pages.ts'
import type { Document } from '../../src/content/document.ts'
import { followSite } from '../../src/follow-site.ts'
import { readHead } from '../../src/log/read.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import type { Following } from '../../src/projector/follow.ts'
import { untilReached } from '../../src/projector/standing.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, TEST_SITE } from '../support/database.ts'
import { page, putGrants, putUser, type TestServer, testServer, withToken } from './support.ts'

interface Item {
  readonly path: string
  readonly title: string
  readonly snippet: string
  readonly target: string
  readonly type: string
  readonly actor: string
  readonly door: string
}
interface List {
  readonly items: readonly Item[]
  readonly next: string | null
}

/** A page with a text in Markdown. */
function written(title: string, source: string, more: Partial<Document> = {}): Document {
  return page(title, { data: { posting: { format: 'markdown', source } }, ...more })
}

suite('search, links and activity over HTTP', test => {
  let open: TestServer
  let following: Following
  let token = ''

  const ask = (url: string, by: string) =>
    open.server.inject(by === '' ? url : withToken(by, { method: 'GET', url }))
  const get = async <Answer = List>(url: string, by = ''): Promise<Answer> => {
    const { statusCode, body } = await ask(url, by)
    assert.is(statusCode, 200, body)
    return JSON.parse(body) as Answer
  }
  const status = async (url: string, by = '') => (await ask(url, by)).statusCode
  const put = (path: string, document: Document, draft = false) =>
    change(open.site, AS_ROOT, it => createPage(it, { path, document, draft }))
  const reached = async () =>
    assert.ok(await untilReached(open.site.db, (await readHead(open.site.db)).position, 10_000))
  const paths = ({ items }: List) => items.map(({ path }) => path)

  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ['nobody', 'view', 'wh.!secret.*'],
      ['nobody', 'history', 'wh.blog.*'],
      ['editor', 'view', '*'],
      ['editor', 'history', '*'],
      ['editor', 'viewdraft', '*'],
      ['editor', 'post.edit', '*'],
      ['editor', 'user.edit', '*'],
      ['editor', 'grant', '*'],
    ])
    token = (await putUser(open, 'ed', ['editor'])).token
    await put('wh', written('Home', 'Welcome. [Blog](/blog/), [nothing](/none/), [old](/old/)'))
    await put('wh.blog', written('Running a river boat', 'Boats run on rivers.'))
    await put('wh.blog.other', written('Other', 'A boat & a <b>river</b> "there". [Home](/)'))
    await put('wh.old', written('Old', 'Was here.'))
    await put('wh.secret', written('Secret river', 'Nobody knows. [x](/blog/) [y](/secret/none/)'))
    await put('wh.hidden', written('Hidden river', 'Not listed.', { hidden: true }))
    await put('wh.draft', written('Draft river', 'Not yet.'), true)
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.old', 'wh.new'))
    following = followSite(
      { projections: await discoverProjections(), wakeups: open.wakeups },
      { url: open.url, site: TEST_SITE, say: () => {} },
    )
    await reached()
  })
  test.after(async () => {
    await following.stop()
    await open.close()
  })

  test('finds pages that the reader may view, those with the words in the title first', async () => {
    assert.equal(paths(await get('/api/search?q=rivers')), ['wh.blog', 'wh.blog.other'])
    assert.equal(paths(await get('/api/search?q=river', token)).sort(), [
      ...['wh.blog', 'wh.blog.other', 'wh.secret'],
    ])
    assert.equal(paths(await get('/api/search?q=river&hidden=true', token)).length, 4)
    assert.equal(paths(await get('/api/search?q=river&hidden=true')).length, 2)
    assert.equal(paths(await get('/api/search?q=river&parent=wh.blog')), ['wh.blog.other'])
    assert.equal(paths(await get('/api/search?q=%22a+boat%22+-running')), ['wh.blog.other'])
    assert.equal(paths(await get('/api/search?q=zzz')), [])
  })

  test('shows words around what was found as safe HTML', async () => {
    const { items } = await get('/api/search?q=boat&parent=wh.blog')

    assert.is(items[0]?.snippet, '<mark>boat</mark> &amp; a river &quot;there&quot;. Home')
  })

  test('gives hits a part at a time', async () => {
    const first = await get('/api/search?q=river&limit=1')
    const rest = await get(`/api/search?q=river&limit=1&after=${first.next}`)

    assert.equal([...paths(first), ...paths(rest)], ['wh.blog', 'wh.blog.other'])
    assert.is(rest.next, null)
    assert.is(await status(`/api/search?q=boat&after=${first.next}`), 400)
    assert.is(await status('/api/search'), 400)
    assert.is(await status('/api/search?q=+'), 400)
    for (const q of ["'", '"', '((', '&|!', '%00', '\\', ':*', "a'b:*|"]) {
      assert.ok([200, 400].includes(await status(`/api/search?q=${encodeURIComponent(q)}`)), q)
    }
  })

  test('forgets what is changed, moved out of sight or deleted', async () => {
    await put('wh.brief', written('Ephemeral', 'Quicksilver.'))
    await reached()
    assert.equal(paths(await get('/api/search?q=quicksilver')), ['wh.brief'])
    await change(open.site, AS_ROOT, async it => {
      const { sinceId } = await pageAt(it, 'wh.brief')
      await revisePage(it, 'wh.brief', {
        ifMatch: sinceId ?? '',
        edit: () => written('Ephemeral', 'Lead.'),
      })
    })
    await reached()
    assert.equal(paths(await get('/api/search?q=quicksilver')), [])
    assert.equal(paths(await get('/api/search?q=lead')), ['wh.brief'])
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.brief', 'wh.secret.brief'))
    assert.equal(paths(await get('/api/search?q=lead')), [])
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.secret.brief'))
    assert.equal(paths(await get('/api/search?q=lead', token)), [])
  })

  test('tells where a page links to and from where, as far as the reader may view', async () => {
    type Links = { from: { path: string | null; url: string | null }[]; to: Item[] }
    const blog = await get<Links>('/api/pages/wh.blog/links')
    const home = await get<Links>('/api/pages/wh/links')
    const asEditor = await get<Links>('/api/pages/wh.blog/links', token)

    assert.equal(
      blog.to.map(({ path }) => path),
      ['wh'],
    )
    assert.equal(
      asEditor.to.map(({ path }) => path),
      ['wh', 'wh.secret'],
    )
    assert.equal(
      home.from.map(({ path }) => path),
      ['wh.blog', 'wh.none', 'wh.old'],
    )
    assert.is(await status('/api/pages/wh.secret/links'), 404)
    assert.is(await status('/api/pages/wh.none/links'), 404)
  })

  test('lists links to where neither page nor redirect is, of pages one may edit', async () => {
    const { items, next } = await get('/api/links/broken', token)

    assert.equal(
      items.map(({ path, target }) => `${path} ${target}`),
      ['wh wh.none', 'wh.secret wh.secret.none'],
    )
    assert.is(next, null)
    assert.equal((await get('/api/links/broken')).items, [])
    const first = await get('/api/links/broken?limit=1', token)
    const rest = await get(`/api/links/broken?limit=1&after=${first.next}`, token)
    assert.equal([first.items[0]?.target, rest.items[0]?.target], ['wh.none', 'wh.secret.none'])
  })

  test('tells who did what, newest first, as far as one may hear of it', async () => {
    await reached()
    const all = await get('/api/activity?limit=200', token)
    const anyone = await get('/api/activity')
    const moved = await get('/api/activity?path=wh.new', token)

    assert.is(all.items.length, (await readHead(open.site.db)).position)
    assert.equal(new Set(paths(anyone)), new Set(['wh.blog', 'wh.blog.other']))
    assert.equal(
      moved.items.map(({ type, door, actor }) => [type, door, actor]),
      [['PageMoved', 'cli', 'root']],
    )
    assert.equal((await get('/api/activity?actor=nobody', token)).items, [])
    const first = await get('/api/activity?limit=2', token)
    const rest = await get(`/api/activity?limit=2&after=${first.next}`, token)
    assert.equal([...first.items, ...rest.items], all.items.slice(0, 4))
    assert.is(await status(`/api/activity?actor=root&after=${first.next}`, token), 400)
  })

  test('has a feed of the pages that went live last, as far as the reader may view', async () => {
    await put(
      'wh.blog.last',
      page('Last <&> one', {
        summary: { title: 'Last <&> one', abstract: '<b>bold</b><script>x</script>' },
      }),
    )
    await reached()
    const { body, headers } = await ask('/feed.atom', '')
    const again = await open.server.inject({
      url: '/feed.atom',
      headers: { 'if-none-match': String(headers.etag) },
    })

    assert.match(String(headers['content-type']), /^application\/atom\+xml/)
    assert.match(body, /<title>Home<\/title>/)
    assert.match(body, /<entry>\n<title>Last &lt;&amp;&gt; one<\/title>/)
    assert.match(body, /<summary type="html">&lt;b&gt;bold&lt;\/b&gt;<\/summary>/)
    assert.ok(body.indexOf('/blog/last/') < body.indexOf('/blog/other/'))
    assert.not.match(body, /secret|hidden|draft|script/i)
    assert.match((await ask('/feed.atom', token)).body, /\/secret\//)
    assert.is(again.statusCode, 304)
  })
})
