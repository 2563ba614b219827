import { nextOf } from '../../src/http/pages/next.ts'
import { assert, suite } from '../harness.ts'
import { query } from '../support/managed.ts'
import { browse, makeSite, PASSWORD } from './html-site.ts'
import { type TestServer, testServer } from './support.ts'

suite('logging in with a browser', test => {
  let open: TestServer
  const get = (url: string, cookies: Record<string, string> = {}) =>
    open.server.inject(browse(url, { cookies }))
  const post = (url: string, fields: object, cookies: Record<string, string> = {}, more = {}) =>
    open.server.inject(
      browse(url, {
        method: 'POST',
        cookies,
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...more },
        payload: new URLSearchParams(fields as Record<string, string>).toString(),
      }),
    )
  const form = async () => {
    const { body, cookies } = await get('/$login/?next=/blog/')
    const [cookie] = cookies as { name: string; value: string }[]
    const [, csrf = ''] = /name="_csrf" value="([^"]+)"/.exec(body) ?? []
    return { csrf, cookies: { [cookie?.name ?? '']: cookie?.value ?? '' } }
  }
  const logIn = async () => {
    const { csrf, cookies } = await form()
    const fields = { user: 'ed', password: PASSWORD, next: '/secret/', _csrf: csrf }
    const answer = await post('/$login/', fields, cookies)
    const [session] = answer.cookies as { name: string; value: string }[]
    return { answer, session: { [session?.name ?? '']: session?.value ?? '' } }
  }

  test.before(async () => {
    open = await testServer()
    await makeSite(open)
  })
  test.after(() => open.close())

  test('asks for name and password, and is kept by no cache', async () => {
    const answer = await get('/$login/?next=/blog/')

    assert.is(answer.statusCode, 200)
    assert.match(answer.body, 'name="next" value="/blog/"')
    assert.is(answer.headers['cache-control'], 'no-store')
    assert.is((await get('/$login')).headers.location, '/$login/')
  })

  test('logs in and goes where one wanted to', async () => {
    const { answer, session } = await logIn()
    const secret = await get('/secret/', session)
    const account = await get('/$account/', session)
    const again = await get('/$login/?next=/blog/', session)

    assert.is(answer.statusCode, 303, answer.body)
    assert.is(answer.headers.location, '/secret/')
    assert.match(String(answer.headers['set-cookie']), /HttpOnly; SameSite=Lax/)
    assert.is(secret.statusCode, 200)
    assert.match(account.body, 'editor')
    assert.is(again.headers.location, '/blog/')
  })

  test('logs out with the token of the session only', async () => {
    const { session } = await logIn()
    const { body } = await get('/$account/', session)
    const [, csrf = ''] = /name="_csrf" value="([^"]+)"/.exec(body) ?? []
    const without = await post('/$logout/', {}, session)
    const still = await get('/secret/', session)
    const out = await post('/$logout/', { _csrf: csrf }, session)
    const after = await get('/secret/', session)

    assert.is(without.statusCode, 403)
    assert.match(without.body, '<h1>This is not for you</h1>')
    assert.is(still.statusCode, 200)
    assert.is(out.statusCode, 303)
    assert.match(String(out.headers['set-cookie']), /Max-Age=0/)
    assert.is(after.statusCode, 404)
  })

  test('refuses a form that another site sends', async () => {
    const { csrf, cookies } = await form()
    const fields = { user: 'ed', password: PASSWORD, next: '/', _csrf: csrf }
    const foreign = await post('/$login/', fields, cookies, { origin: 'https://evil.example' })
    const noCookie = await post('/$login/', fields)
    const noToken = await post('/$login/', { ...fields, _csrf: 'x' }, cookies)

    assert.is(foreign.statusCode, 403)
    assert.is(noCookie.statusCode, 403)
    assert.match(noCookie.body, 'Please try once more')
    assert.is(noToken.statusCode, 403)
    assert.not.ok(noToken.cookies.some(({ name }) => name === 'rm3'))
  })

  test('says no more than that name and password do not fit, and stops after some tries', async () => {
    const { csrf, cookies } = await form()
    const tries = []
    for (let n = 0; n < 11; n++) {
      const fields = { user: 'nobody_there', password: 'x', next: '/blog/', _csrf: csrf }
      tries.push(await post('/$login/', fields, cookies))
    }
    const last = tries.at(-1)

    assert.is(tries[0]?.statusCode, 401)
    assert.match(tries[0]?.body ?? '', 'do not belong together')
    assert.match(tries[0]?.body ?? '', 'value="nobody_there"')
    assert.not.match(tries[0]?.body ?? '', 'value="x"')
    assert.is(last?.statusCode, 429)
    assert.match(last?.body ?? '', 'too many tries')
    assert.ok(Number(last?.headers['retry-after']) > 0)
  })

  test('shows the account to who is logged in only', async () => {
    const answer = await get('/$account/')

    assert.is(answer.statusCode, 303)
    assert.is(answer.headers.location, '/$login/?next=%2F%24account%2F')
  })

  test('goes nowhere else after logging in', () => {
    for (const next of [
      ...['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)'],
      ...[
        '/\t/evil.example',
        '/%0d%0aSet-Cookie:x',
        '',
        'blog/',
        '/$logout/',
        '/a/..//evil.example',
      ],
      ...['/.//evil.example', '/..//evil.example', '/./\\evil', `/${'x'.repeat(3000)}`],
    ]) {
      const url = new URL(nextOf(next), 'https://here.example')
      assert.is(url.origin, 'https://here.example', next)
      assert.not.match(nextOf(next), /^\/[/\\]|[\r\n\t]/, next)
    }
    assert.is(nextOf('/blog/?a=1#b'), '/blog/?a=1#b')
    assert.is(nextOf(null), '/')
  })
})

suite('what is around pages', test => {
  let open: TestServer
  const get = (url: string, headers: Record<string, string> = {}) =>
    open.server.inject(browse(url, { headers }))

  test.before(async () => {
    open = await testServer()
  })
  test.after(() => open.close())

  test('is served for ever under its hash only', async () => {
    const { body } = await get('/')
    const [, style = ''] = /rel="stylesheet" href="([^"]+)"/.exec(body) ?? []
    const found = await get(style)
    const other = await get(style.replace(/[0-9a-f]{16}/, '0123456789abcdef'))

    assert.is(found.statusCode, 200)
    assert.is(found.headers['cache-control'], 'public, max-age=31536000, immutable')
    assert.is(other.statusCode, 404)
    assert.is((await get('/favicon.ico')).headers['content-type'], 'image/svg+xml')
    assert.match((await get('/robots.txt')).body, 'Disallow: /api/')
  })

  test('answers errors as pages to browsers and as problems to others', async () => {
    const page = await get('/nothing/')
    const problem = await open.server.inject('/nothing/')
    const api = await get('/api/pages/wh.nothing')
    const method = await open.server.inject(browse('/nothing/', { method: 'PUT' }))

    assert.is(page.statusCode, 404)
    assert.match(String(page.headers['content-type']), /^text\/html/)
    assert.match(String(page.headers['content-security-policy']), /default-src 'none'/)
    assert.match(String(problem.headers['content-type']), /^application\/problem\+json/)
    assert.match(String(api.headers['content-type']), /^application\/problem\+json/)
    assert.is(method.statusCode, 405)
    assert.match(method.body, 'That cannot be done here')
  })

  test('has a page also when the database cannot be asked', async () => {
    const closed = await testServer()
    await query(closed.url, 'alter table rm3.pages rename to elsewhere')
    const answer = await closed.server.inject(browse('/'))
    await closed.close()

    assert.is(answer.statusCode, 500)
    assert.match(answer.body, 'Something broke')
    assert.not.match(answer.body, 'elsewhere')
  })
})
