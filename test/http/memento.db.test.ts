import { change } from '../../src/commands/change.ts'
import { deletePage, movePage, pageAt, revisePage } from '../../src/commands/pages.ts'
import { readHead } from '../../src/log/read.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { attachPicture, browse } from './html-site.ts'
import { member, page, putGrants, putPages, type TestServer, testServer } from './support.ts'

suite('mementos', test => {
  let open: TestServer
  /** Positions of the changes of wh.a. */
  const changes: number[] = []
  const end = async () => (await readHead(open.site.db)).position
  const get = (url: string, headers: Record<string, string> = {}) =>
    open.server.inject({ url, headers })
  const revise = async (title: string) => {
    await change(open.site, AS_ROOT, async it => {
      const ifMatch = (await pageAt(it, 'wh.a')).sinceId ?? ''
      await revisePage(it, 'wh.a', { ifMatch, edit: () => page(title) })
    })
    changes.push(await end())
  }
  const linksOf = (header: unknown) =>
    Object.fromEntries(
      [...String(header).matchAll(/<([^>]*)>; rel="([^"]*)"/g)].flatMap(([, url, rels = '']) =>
        rels.split(' ').map(rel => [rel, url]),
      ),
    )

  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ['nobody', 'view', 'wh.!secret.*'],
      ['nobody', 'history', 'wh.!closed.*'],
    ])
    await putPages(open, ['wh', 'wh.closed', 'wh.secret', 'wh.a'])
    changes.push(await end())
    await revise('Two')
    await putPages(open, ['wh.other'])
    await revise('Three')
  })
  test.after(() => open.close())

  test('are told of with the page as it is, to those who may read its past', async () => {
    for (const [url, timemap] of [
      ['/api/pages/wh.a', '/api/pages/wh.a/timemap'],
      ['/a/', '/a/timemap.link'],
    ] as const) {
      for (const headers of [{ accept: 'application/json' }, browse(url).headers]) {
        const answer = await get(url, headers as Record<string, string>)
        const links = linksOf(answer.headers['link'])

        assert.equal([links['original'], links['timegate'], links['timemap']], [url, url, timemap])
        assert.match(String(answer.headers['vary']), 'Accept-Datetime')
      }
    }
    assert.is((await get('/api/pages/wh.closed')).headers['link'], undefined)
  })

  test('name each other, in the API and as HTML', async () => {
    const [one, two, three] = changes as [number, number, number]
    for (const url of ['/api/pages/wh.a', '/a/']) {
      const then = await get(`${url}?at=position:${two + 1}`, browse(url).headers as never)
      const links = linksOf(then.headers['link'])
      const at = (position: number) => `${url}?at=position:${position}`

      assert.is(links['original'], url)
      assert.is(links['latest-version'], url)
      assert.is(links['first'], at(one))
      assert.is(links['prev'], at(one))
      assert.is(links['predecessor-version'], at(one))
      assert.is(links['next'], at(three))
      assert.is(links['successor-version'], at(three))
      assert.is(links['last'], at(three))
      assert.ok(Number.isFinite(Date.parse(String(then.headers['memento-datetime']))))
    }
    const list = await get(`/api/pages?parent=wh&at=position:${one}`)
    assert.is(list.headers['link'], '</api/pages?parent=wh>; rel="original"')
  })

  test('are found by Accept-Datetime', async () => {
    const to = async (datetime: string, url = '/a/', accept = 'text/html') => {
      const answer = await get(url, { accept, 'accept-datetime': datetime })
      return [answer.statusCode, answer.headers['location']]
    }
    const now = new Date(Date.now() + 1_000).toUTCString()
    const head = await end()

    assert.equal(await to(now), [302, `/a/?at=position:${head}`])
    assert.equal(await to('Thu, 01 Jan 2099 00:00:00 GMT'), [302, `/a/?at=position:${head}`])
    assert.equal(await to('Mon, 01 Jan 2001 00:00:00 GMT'), [302, `/a/?at=position:${changes[0]}`])
    assert.equal(await to(now, '/api/pages/wh.a'), [302, `/api/pages/wh.a?at=position:${head}`])
    assert.equal(await to(now, '/a/', 'application/json'), [302, `/a/?at=position:${head}`])
    for (const none of ['', 'yesterday', '2024-01-01T00:00:00Z', 'Mon, 99 Jan 2001 00:00:00 GMT']) {
      assert.is((await to(none))[0], 400, none)
    }
    assert.is((await to(now, '/secret/'))[0], 404)
    assert.is((await to(now, '/nothing/'))[0], 404)
    assert.is((await to(now, '/closed/'))[0], 401)
    assert.is((await to('nonsense', `/a/?at=position:${changes[0]}`))[0], 200)
  })

  test('are listed in link-format and JSON, a part at a time', async () => {
    const json = await get('/a/timemap.json')
    const { mementos } = JSON.parse(json.body) as { mementos: { list: { position: number }[] } }
    const first = await get('/api/pages/wh.a/timemap?limit=2')
    const next = linksOf(first.body.split('\n').find(line => line.includes('rel="timemap"')))
    const rest = await get(String(next['timemap']))
    const link = await get('/a/timemap.link')

    assert.equal(
      mementos.list.map(({ position }) => position),
      changes,
    )
    assert.match(String(link.headers['content-type']), 'application/link-format')
    assert.is(linksOf(link.body)['first'], `/a/?at=position:${changes[0]}`)
    assert.is(linksOf(rest.body)['last'], `/api/pages/wh.a?at=position:${changes[2]}`)
    assert.is(rest.body.match(/memento"/g)?.length, 1)
    const bad = await get('/a/timemap.json?limit=0')
    assert.is(bad.statusCode, 400)
    assert.is((await get('/a/timemap.json?limit=1001')).statusCode, 400)
    assert.is((await get('/a/timemap.json?after=x')).statusCode, 400)
    assert.equal(
      await Promise.all(
        ['/secret/', '/nothing/', '/closed/'].map(
          async url => (await get(`${url}timemap.link`)).statusCode,
        ),
      ),
      [404, 404, 401],
    )
  })

  test('are those of a path, and not of what went where one may not look', async () => {
    await putPages(open, ['wh.turn'])
    const seen = await end()
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.turn', 'wh.secret.turn'))
    await putPages(open, ['wh.turn'])
    const again = await end()
    const { body } = await get('/api/pages/wh.turn/timemap?format=json')
    const { list } = member(body, 'mementos') as { list: { position: number }[] }
    const then = await get(`/api/pages/wh.turn?at=position:${again}`)

    assert.equal(
      list.map(({ position }) => position),
      [again],
    )
    assert.is(linksOf(then.headers['link'])['prev'], undefined)
    assert.is((await get(`/api/pages/wh.turn?at=position:${seen}`)).statusCode, 404)
  })

  test('of several pages that were at one path one after the other are told alike', async () => {
    await putPages(open, ['wh.seat'])
    const one = await end()
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.seat', 'wh.elsewhere'))
    const gone = await end()
    await putPages(open, ['wh.seat'])
    const two = await end()
    const around = async (position: number) => {
      const { headers } = await get(`/api/pages/wh.seat?at=position:${position}`)
      const { first, prev, next, last } = linksOf(headers['link'])
      return [first, prev, next, last].map(url => Number(url?.split(':')[1] ?? 0))
    }

    assert.equal(await around(one), [one, 0, two, two])
    assert.is((await get(`/api/pages/wh.seat?at=position:${gone}`)).statusCode, 308)
    assert.equal(await around(two), [one, one, 0, two])
    assert.equal(await around(await end()), [one, one, 0, two])
  })

  test('of files are found by Accept-Datetime, when the page had them', async () => {
    await putPages(open, ['wh.filed'])
    await attachPicture(open, 'wh.filed', 'a b.svg')
    const attached = await end()
    const url = '/filed/$file/a%20b.svg'
    const early = await get(url, { 'accept-datetime': 'Mon, 01 Jan 2001 00:00:00 GMT' })
    const late = await get(url, { 'accept-datetime': 'Tue, 01 Jan 2999 00:00:00 GMT' })
    const never = await get('/a/$file/none.svg', {
      'accept-datetime': 'Tue, 01 Jan 2999 00:00:00 GMT',
    })

    assert.is(early.statusCode, 302)
    assert.is(early.headers.location, `${url}?at=position:${attached}`)
    assert.is(late.headers.location, `${url}?at=position:${attached}`)
    assert.equal(linksOf(early.headers['link']), {
      ...{ original: url, timegate: url, 'latest-version': url },
    })
    assert.match(String(early.headers['vary']), 'Accept-Datetime')
    assert.is((await get(String(never.headers.location))).statusCode, 404)
    assert.is((await get(url, { 'accept-datetime': 'soon' })).statusCode, 400)
    const closed = { 'accept-datetime': 'Tue, 01 Jan 2999 00:00:00 GMT' }
    assert.is((await get('/closed/$file/x.svg', closed)).statusCode, 401)
    assert.is((await get('/secret/$file/x.svg', closed)).statusCode, 404)
  })

  test('have a banner that steps through the changes of the page and of the site', async () => {
    const [one, two, three] = changes as [number, number, number]
    const shown = async (position: number) =>
      (await get(`/a/?at=position:${position}`, browse('/a/').headers as never)).body
    const middle = await shown(two)

    const link = (position: number, label: string) =>
      new RegExp(`<a href="/a/\\?at=position%3A${position}"[^>]* aria-label="${label}">`)

    assert.match(middle, link(one, 'This page, one change earlier'))
    assert.match(middle, link(three, 'This page, one change later'))
    assert.match(middle, link(two + 1, 'The whole site, one change later'))
    assert.match(middle, 'in the look of today')
    assert.is((await shown(one)).includes('This page, one change earlier'), false)
    assert.is((await shown(three)).includes('This page, one change later'), false)
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.other'))
    assert.is((await shown(await end())).includes('The whole site, one change later'), false)
  })
})
