import { change } from '../../src/commands/change.ts'
import { deletePage } from '../../src/commands/pages.ts'
import { decidePage } from '../../src/content/decide-page.ts'
import type { Following } from '../../src/projector/follow.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { browse, follow, found, make, makeSite, text } from './html-site.ts'
import { type TestServer, testServer, withToken } from './support.ts'

const EVIL = `"><script>alert(1)</script><img src=x onerror='alert(1)'>`

suite('searching with a browser', test => {
  let open: TestServer
  let following: Following
  let token = ''
  const get = (url: string) => open.server.inject(browse(url))
  const search = (words: string, more = '') =>
    get(`/$search/?q=${encodeURIComponent(words)}${more}`)
  const asEditor = (url: string) => open.server.inject(withToken(token, browse(url)))
  const links = (body: string) =>
    [...body.matchAll(/<a class="name" href="([^"]+)"/g)].map(([, url]) => url)

  test.before(async () => {
    open = await testServer()
    token = await makeSite(open)
    await make(open, 'wh.search', text('About searching', 'How to look for herrings & "eels".'))
    await make(open, 'wh.shoal', text('Herrings', 'Unlisted herrings.', { hidden: true }))
    await make(open, 'wh.secret.fish', text('Herrings', 'Nobody knows these herrings.'))
    await make(open, 'wh.net', text('Herrings', 'Drafted herrings.'), true)
    // as older versions let them be made
    await change(open.site, AS_ROOT, async it => {
      const [id, document] = [open.site.newId(), text('Sprats', 'Sprats without an address.')]
      await it.entity(id)
      it.record(decidePage(null, { type: 'CreatePage', id, path: 'nowhere.fish', document }))
    })
    const data = { posting: { format: 'plainishtext', source: `A lamprey ${EVIL} of the river.` } }
    await make(open, 'wh.evil', text(`Lamprey ${EVIL}`, '', { data }))
    following = await follow(open)
    await found(open)
  })
  test.after(async () => {
    await following.stop()
    await open.close()
  })

  test('has a form on every page, and one page for it that no cache keeps and no robot lists', async () => {
    const page = await get('/blog/')
    const form = await get('/$search/')

    assert.match(page.body, '<form class="search" role="search" action="/$search/">')
    assert.match((await get('/nothing/')).body, 'action="/$search/"')
    assert.is(form.statusCode, 200, form.body)
    assert.is(form.body.split('<form class="search"').length, 2)
    assert.match(form.body, /<title>Search · /)
    assert.not.match(form.body, 'Nothing was found')
    assert.match(form.body, '<meta name="robots" content="noindex">')
    assert.is(form.headers['cache-control'], 'no-store')
    assert.is((await get('/$search?q=a')).headers.location, '/$search/?q=a')
  })

  test('shows title, address, marked words and day of what it finds', async () => {
    const { body } = await search('herrings')

    assert.match(body, '<title>Search: herrings · ')
    assert.match(body, 'value="herrings"')
    assert.match(body, '1 page, best first.')
    assert.match(body, '<a class="name" href="/search/" dir="auto">About searching</a>')
    assert.match(body, 'look for <mark>herrings</mark> &amp; "eels')
    assert.match(body, /<span class="place">\/search\/<\/span> · <time datetime="\d{4}-/)
    assert.not.match(body, 'rel="next"')
  })

  test('says so when nothing is found, and asks for nothing without words', async () => {
    assert.match(
      (await search('unicorns')).body,
      'Nothing was found for “<span dir="auto">unicorns</span>”',
    )
    for (const words of ['', ' ', '\t\0']) {
      const { statusCode, body } = await search(words)

      assert.is(statusCode, 200)
      assert.not.match(body, 'Nothing was found')
    }
  })

  test('goes on a part at a time, and begins anew for a cursor of another search', async () => {
    for (let n = 1; n <= 21; n++) await make(open, `wh.cod_${n}`, text(`Cod ${n}`, 'A cod.'))
    await found(open)
    const first = await search('cod')
    const [, nextUrl = ''] = /rel="next" href="([^"]+)"/.exec(first.body) ?? []
    const second = await get(nextUrl.replaceAll('&amp;', '&'))
    const [, after = ''] = /after=([\w-]+)/.exec(nextUrl) ?? []
    const other = await search('herrings', `&after=${after}`)

    assert.match(first.body, 'More than 20 pages, best first.')
    assert.is(new Set([...links(first.body), ...links(second.body)]).size, 21)
    assert.match(second.body, 'More pages, best first. <a href="/$search/?q=cod">')
    assert.not.match(second.body, 'rel="next"')
    assert.equal(links(other.body), ['/search/'])
    assert.equal(links((await search('herrings', '&after=nonsense')).body), ['/search/'])
  })

  test('finds for each reader what that reader may see, whoever asked before', async () => {
    const before = await search('herrings')
    const editor = await asEditor('/$search/?q=herrings')
    const after = await search('herrings')

    assert.equal(links(before.body), ['/search/'])
    assert.equal(links(editor.body).sort(), ['/search/', '/secret/fish/'])
    assert.is(editor.headers['cache-control'], 'no-store')
    assert.is(after.body, before.body)
    assert.not.match(after.body, 'Nobody knows')
  })

  test('no longer finds what was deleted', async () => {
    await make(open, 'wh.pike', text('A pike', 'Swims.'))
    await found(open)
    const before = await search('pike')
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.pike'))

    assert.equal(links(before.body), ['/pike/'])
    assert.equal(links((await search('pike')).body), [])
  })

  test('names pages without an address, and leads nowhere with them', async () => {
    const { body } = await asEditor('/$search/?q=sprats')

    assert.match(body, '<span class="name" dir="auto">Sprats</span>')
    assert.match(body, '<span class="place">nowhere.fish</span>')
    assert.equal(links(body), [])
  })

  test('takes markup in words, titles and texts for text', async () => {
    const asked = await search(EVIL)
    const hit = await search('lamprey')

    for (const { statusCode, body } of [asked, hit]) {
      assert.is(statusCode, 200)
      assert.not.match(body, '<script')
      assert.not.match(body, '<img src=x')
      assert.match(body, '&lt;script&gt;')
    }
    assert.equal(links(hit.body), ['/evil/'])
    assert.match(hit.body, '<mark>lamprey</mark>')
  })

  test('answers whatever is typed, up to 500 characters and once', async () => {
    for (const words of [
      "'",
      '"',
      '((',
      '&|!',
      'a\0b',
      '\\',
      ':*',
      "a'b:*|",
      '%',
      '\u202e',
      'x'.repeat(500),
    ]) {
      assert.is((await search(words)).statusCode, 200, words)
    }
    assert.is((await get('/$search/?q=%ff%ED%A0%80')).statusCode, 200)
    const long = await search('x'.repeat(501))
    assert.is(long.statusCode, 400)
    assert.match(long.body, 'at most 500 characters')
    assert.is((await get('/$search/?q=a&q=b')).statusCode, 400)
    assert.is((await search('a', '&after=1&after=2')).statusCode, 400)
  })

  test('leaves the page at /search/ alone, and is offered in the past, where it searches as of then', async () => {
    const page = await get('/search/?q=herrings')
    const past = await asEditor('/blog/?at=position:60')
    const before = await search('herrings', '&at=position:1')

    assert.match(page.body, '<h1 dir="auto">About searching</h1>')
    assert.is(past.statusCode, 200)
    assert.match(past.body, /<form[^>]* role="search"/)
    assert.match(past.body, '<input type="hidden" name="at" value="position:60">')
    assert.is(before.statusCode, 200)
    assert.equal(links(before.body), [])
  })
})
