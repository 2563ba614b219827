import { change } from '../../src/commands/change.ts'
import { createPage, deletePage, movePage, pageAt, revisePage } from '../../src/commands/pages.ts'
import { setSetting } from '../../src/commands/rights.ts'
import { readHead } from '../../src/log/read.ts'
import { instantsOf } from '../../src/queries/known-instants.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import {
  member,
  page,
  putGrants,
  putPages,
  putUser,
  type TestServer,
  testServer,
  withToken,
} from './support.ts'

/** Reads that are of now, whatever `at` says: of a request's own session, of the server, and what lies ahead of a page. */
const OF_NOW = new Set([
  ...['/api/session', '/api/tokens', '/api/links/broken', '/api/pages/:path/schedule'],
  '/api/pages/:path/timemap',
  // of all times
  ...['/api/history/search', '/api/imports'],
  ...['/health/live', '/health/ready', '/metrics'],
  ...['/api/log/stream', '/api/openapi.json', '/api/docs', '/api/docs.css'],
  // a revision is the same at any time, and these have times of their own
  ...[
    '/api/pages/:path/revisions/:revision',
    '/api/pages/:path/diff',
    '/api/changes',
    '/api/changes/density',
  ],
])

suite('reads as of a time', test => {
  let open: TestServer
  let token = ''
  /** Positions after the parts of the story. */
  const at = { made: 0, changed: 0, end: 0 }
  const end = async () => (await readHead(open.site.db)).position
  const get = (url: string, who: string | null = token) =>
    open.server.inject(who === null ? { url } : withToken(who, { url }))
  const paths = async (url: string) =>
    (member((await get(url)).body, 'items') as { path: string }[]).map(({ path }) => path)

  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ...(['view', 'history', 'grant', 'user.edit', 'post.edit', 'viewdraft'] as const).map(
        permission => ['reader', permission, '*'] as [string, string, string],
      ),
      ['nobody', 'view', 'wh.!users.*'],
      ['nobody', 'history', 'wh.!users.*'],
    ])
    token = (await putUser(open, 'ann', ['reader', 'old'])).token
    await putPages(open, ['wh', 'wh.b', 'wh.a', 'wh.a.below', 'wh.gone'])
    const tagged = page('Tagged', { tags: { about: [{ '@id': 'river', objClass: 'tag' }] } })
    await change(open.site, AS_ROOT, it => createPage(it, { path: 'wh.c', document: tagged }))
    at.made = await end()
    await change(open.site, AS_ROOT, async it => {
      const ifMatch = (await pageAt(it, 'wh.c')).sinceId ?? ''
      await revisePage(it, 'wh.c', { ifMatch, edit: () => page('Later') })
    })
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.a', 'wh.moved'))
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.gone'))
    at.changed = await end()
    await putUser(open, 'bob', [])
    at.end = await end()
  })
  test.after(() => open.close())

  test('list what was there then, by every filter and in every order', async () => {
    const then = `at=position:${at.made}`

    assert.equal(await paths(`/api/pages?parent=wh&${then}`), ['wh.a', 'wh.b', 'wh.c', 'wh.gone'])
    assert.equal(await paths('/api/pages?parent=wh'), ['wh.b', 'wh.c', 'wh.moved'])
    assert.equal(await paths(`/api/pages?tag=about/river&${then}`), ['wh.c'])
    assert.equal(await paths('/api/pages?tag=about/river'), [])
    assert.equal(await paths(`/api/pages?parent=wh.a&${then}`), ['wh.a.below'])
    assert.equal(await paths(`/api/pages?parent=wh&sort=-title&limit=2&${then}`), [
      'wh.gone',
      'wh.b',
    ])
    assert.equal(await paths(`/api/pages?parent=wh&sort=modified&${then}`), [
      ...['wh.b', 'wh.a', 'wh.gone', 'wh.c'],
    ])
    assert.equal(await paths(`/api/pages?parent=wh&at=position:${at.changed}`), [
      ...['wh.b', 'wh.c', 'wh.moved'],
    ])
  })

  test('go on with a cursor of the same time only', async () => {
    const first = await get(`/api/pages?parent=wh&limit=2&sort=title&at=position:${at.made}`)
    const next = member(first.body, 'next')
    const rest = await paths(`/api/pages?parent=wh&sort=title&at=position:${at.made}&after=${next}`)
    const other = await get(`/api/pages?parent=wh&sort=title&after=${next}`)

    assert.equal(rest, ['wh.b', 'wh.gone'])
    assert.equal([other.statusCode, member(other.body, 'code')], [400, 'CURSOR_INVALID'])
  })

  test('say the same in every spelling of a time, and which time it was', async () => {
    const { recordedAt } = await readHead(open.site.db)
    const urls = [
      'today',
      'position:X',
      recordedAt,
      recordedAt.slice(0, 10),
      recordedAt.slice(0, 4),
    ]
    const answers = await Promise.all(
      urls.map(text => get(`/api/pages/wh.moved?at=${text.replace('X', String(at.end))}`)),
    )

    assert.equal(
      answers.map(({ statusCode, headers }) => [statusCode, headers['rm3-position']]),
      urls.map(() => [200, String(at.end)]),
    )
    assert.is((await get('/api/pages/wh?at=yesterday')).statusCode, 404)
  })

  test('say the same of a page while it is as it was, and when it went on', async () => {
    await putPages(open, ['wh.same'])
    const then = await end()
    const { recordedAt } = await readHead(open.site.db)
    const read = async (time: string) => {
      const { statusCode, body, headers } = await get(`/api/pages/wh.same?at=${time}`)
      const { etag, 'memento-datetime': datetime, 'rm3-position': position } = headers
      return { statusCode, body, etag, datetime, position }
    }
    const same = await read(`position:${then}`)
    const now = await get('/api/pages/wh.same')

    assert.is(same.body, now.body)
    assert.equal(await read(recordedAt), same)
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.same', 'wh.went'))
    assert.equal(await read(`position:${then}`), same)
    await change(open.site, AS_ROOT, async it => {
      const ifMatch = (await pageAt(it, 'wh.went')).sinceId ?? ''
      await revisePage(it, 'wh.went', { ifMatch, edit: () => page('Another') })
    })
    assert.equal(await read(`position:${then}`), same)
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.went'))
    assert.equal(await read(`position:${then}`), same)
    at.end = await end()
  })

  test('do not rely on what was known of an instant when the log lost its end', async () => {
    const before = '2001-01-01T00:00:00.000Z'
    for (const wrong of [at.end, at.end + 1_000]) {
      instantsOf(open.site.db).forget()
      instantsOf(open.site.db).learn(Date.parse(before), wrong)
      assert.is((await get(`/api/pages/wh.c?at=${before}`)).statusCode, 404)
      instantsOf(open.site.db).forget()
      instantsOf(open.site.db).learn(Date.parse(before), wrong)
      assert.is((await get(`/api/pages?at=${before}`)).headers['rm3-position'], '0')
    }
  })

  test('have days that begin and end by the clocks of the site', async () => {
    const now = Date.now()
    for (const timeZone of ['Pacific/Kiritimati', 'Etc/GMT+12', 'UTC']) {
      const day = (ago: number) =>
        new Intl.DateTimeFormat('sv', { timeZone }).format(now - ago * 86_400_000)
      await change(open.site, AS_ROOT, it => setSetting(it, 'site.timezone', timeZone))

      assert.is((await get(`/api/pages/wh.b?at=${day(0)}`)).statusCode, 200, timeZone)
      assert.is((await get(`/api/pages/wh.b?at=${day(1)}`)).statusCode, 404, timeZone)
    }
    at.end = await end()
  })

  test('tell users, roles and members as they were', async () => {
    const logins = async (query: string) =>
      (member((await get(`/api/users${query}`)).body, 'items') as { login: string }[]).map(
        ({ login }) => login,
      )
    const then = `?at=position:${at.made}`
    const roles = member((await get(`/api/roles${then}`)).body, 'items') as { role: string }[]

    assert.equal(await logins(then), ['ann'])
    assert.equal(await logins(''), ['ann', 'bob'])
    assert.equal(member((await get(`/api/users/ann${then}`)).body, 'roles'), ['old', 'reader'])
    assert.is((await get(`/api/users/bob${then}`)).statusCode, 404)
    assert.equal(
      roles.map(({ role }) => role),
      ['nobody', 'old', 'reader'],
    )
    const members = member((await get(`/api/roles/old/members${then}`)).body, 'items')
    assert.is((members as unknown[]).length, 1)
    assert.equal(member((await get('/api/roles/old?at=position:1')).body, 'members'), [])
  })

  test('explain rights of then, also of a user who is gone', async () => {
    const { id } = await putUser(open, 'carl', ['reader'])
    const then = await end()
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.users.carl'))
    const ask = async (query: string) =>
      get(`/api/explain?user=carl&permission=history&path=wh.users.ann${query}`)
    const answer = await ask(`&at=position:${then}`)

    assert.ok(id)
    assert.is(member(answer.body, 'allowed'), true)
    assert.equal(member(answer.body, 'roles'), ['nobody', 'reader'])
    assert.is((await ask('')).statusCode, 404)
    assert.is((await ask('&at=position:1')).statusCode, 404)
    at.end = await end()
  })

  test('may be kept for an hour by whoever likes, where nobody logged in and the time is over', async () => {
    const cache = async (url: string, who: string | null = null) =>
      (await get(url, who)).headers['cache-control']
    const { recordedAt } = await readHead(open.site.db)
    const kept = 'public, max-age=3600, immutable'

    assert.is(await cache(`/api/pages/wh.c?at=position:${at.made}`), kept)
    assert.is(await cache(`/api/pages?at=position:${at.end}`), kept)
    assert.is(await cache(`/api/pages/wh.c?at=position:${at.made}`, token), 'private, no-cache')
    for (const url of [
      ...['/api/pages/wh.c', '/api/pages/wh.c?at=today', `/api/pages/wh.c?at=${recordedAt}`],
      '/api/pages/wh.c?at=revision:1',
    ]) {
      assert.is(await cache(url), 'no-cache', url)
    }
    assert.is(await cache(`/api/pages/wh.gone?at=position:${at.changed}`), 'no-store')
    const list = await get(`/api/pages?at=position:${at.made}`)
    const again = await open.server.inject({
      url: `/api/pages?at=position:${at.made}`,
      headers: { 'if-none-match': String(list.headers['etag']), authorization: `Bearer ${token}` },
    })
    assert.is(again.statusCode, 304)
  })

  test('refuse what is no time, and say what is', async () => {
    for (const text of [
      ...[
        '',
        'someday',
        'position:-1',
        'position:01',
        'position:99999',
        'position:1e3',
        'revision:0',
      ],
      ...['2024-13', '2024-02-30', '2024-03-05T10:00', "2024'", '1699', 'tomorrow', 'TODAY'],
    ]) {
      const answer = await get(`/api/pages?at=${encodeURIComponent(text)}`)

      assert.equal([answer.statusCode, member(answer.body, 'code')], [400, 'AT_INVALID'], text)
      assert.match(String(member(answer.body, 'detail')), 'position:N, revision:N of a page')
    }
    const twice = await get('/?at=today&at=yesterday')
    assert.is(twice.statusCode, 400)
    assert.is((await get('/api/pages?at=revision:1')).statusCode, 400)
  })

  test('are all reads of the API but those that are of now', () => {
    const spec = open.server.swagger() as unknown as Spec
    const without = Object.entries(spec.paths).flatMap(([url, { get }]) => {
      const names = (get?.parameters ?? []).map(({ name }) => name)
      const known = url.replace(/\{(\w+)\}/g, ':$1')
      return get === undefined || names.includes('at') || OF_NOW.has(known) ? [] : [known]
    })

    assert.equal(without, [])
  })
})

interface Spec {
  readonly paths: Readonly<Record<string, { get?: { parameters?: { name: string }[] } }>>
}
