import { setPassword } from '../../src/commands/accounts.ts'
import { ERROR_CODES } from '../../src/errors.ts'
import { STATUS } from '../../src/http/problem.ts'
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

suite('the routes', test => {
  let open: TestServer
  let token = ''
  let userId = ''

  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ['nobody', 'view', 'wh.!users.*'],
      ['editor', 'view', '*'],
      ['editor', 'history', '*'],
      ['editor', 'post.edit', '*'],
      ['editor', 'post.delete', '*'],
    ])
    await putPages(open, ['wh', 'wh.blog', 'wh.news'])
    const user = await putUser(open, 'ed', ['editor'])
    token = user.token
    userId = user.id
    await setPassword(open.site, AS_ROOT, userId, 'correct horse')
  })
  test.after(() => open.close())

  test('all declare their right', () => {
    const { entries } = open.server.routeTable

    assert.ok(entries.length > 25)
    assert.ok(entries.every(entry => entry.access))
  })

  test('a route without a right does not come to be', async () => {
    let message = ''
    try {
      open.server.get('/undeclared', async () => '')
    } catch (thrown) {
      message = (thrown as Error).message
    }

    assert.match(message, /declares no right|already/)
  })

  test('every error code has a status', () => {
    assert.equal(Object.keys(STATUS).sort(), Object.keys(ERROR_CODES).sort())
  })

  test('page URLs give the record and redirect to the one spelling', async () => {
    const json = await open.server.inject({
      url: '/blog/',
      headers: { accept: 'application/json' },
    })
    const root = await open.server.inject({ url: '/', headers: { accept: 'application/json' } })
    const bare = await open.server.inject({
      url: '/Blog?at=position%3A9',
      headers: { accept: 'application/json' },
    })

    assert.is(member(json.body, 'path'), 'wh.blog')
    assert.is(member(root.body, 'path'), 'wh')
    assert.is(bare.statusCode, 308)
    assert.is(bare.headers.location, '/blog/?at=position%3A9')
  })

  test('unknown addresses are 404 and known ones with another method 405', async () => {
    const nothing = await open.server.inject('/api/nothing')
    const wrong = await open.server.inject({ method: 'PUT', url: '/api/pages' })

    assert.is(nothing.statusCode, 404)
    assert.is(member(nothing.body, 'code'), 'ROUTE_NOT_FOUND')
    assert.is(wrong.statusCode, 405)
    assert.match(String(wrong.headers.allow), /GET, HEAD, POST/)
  })

  test('unknown and malformed parameters are 400', async () => {
    for (const query of [
      'x=1',
      'limit=0',
      'limit=abc',
      'limit=1e2',
      'limit=201',
      'sort=foo',
      'after=zzz',
      'at=tomorrow',
      'at=position:99999',
      'parent=a..b',
      'tag=/',
      'limit=1&limit=2',
    ]) {
      const answer = await open.server.inject(`/api/pages?${query}`)
      assert.is(answer.statusCode, 400, `${query}: ${answer.body}`)
    }
  })

  test('lists page by page in every order, without end or gap', async () => {
    for (const sort of [
      'path',
      'title',
      'created',
      'modified',
      '-path',
      '-title',
      '-created',
      '-modified',
    ]) {
      for (const at of ['', '&at=position:99']) {
        if (at !== '') continue
        const seen: string[] = []
        let after = ''
        do {
          const answer = await open.server.inject(
            withToken(token, { url: `/api/pages?sort=${sort}&limit=1${after}` }),
          )
          assert.is(answer.statusCode, 200, answer.body)
          const { items, next } = JSON.parse(answer.body) as {
            items: { path: string }[]
            next: string | null
          }
          seen.push(...items.map(item => item.path))
          after = next === null ? '' : `&after=${next}`
        } while (after !== '')
        assert.equal([...seen].sort(), ['wh', 'wh.blog', 'wh.news', 'wh.users.ed'], sort)
      }
    }
  })

  test('lists the past', async () => {
    const answer = await open.server.inject(withToken(token, { url: '/api/pages?at=position:7' }))
    const { items } = JSON.parse(answer.body) as { items: { path: string }[] }

    assert.is(answer.statusCode, 200, answer.body)
    assert.equal(
      items.map(item => item.path),
      ['wh', 'wh.blog'],
    )
  })

  test('lists revisions, shows one and compares two', async () => {
    const made = await open.server.inject(
      withToken(token, {
        method: 'POST',
        url: '/api/pages',
        headers: { 'rm3-note': "UTF-8''na%C3%AFve" },
        payload: { path: 'wh.rev', ...page('One') },
      }),
    )
    const put = await open.server.inject(
      withToken(token, {
        method: 'PUT',
        url: '/api/pages/wh.rev',
        payload: page('Two'),
        headers: { 'if-match': String(made.headers.etag) },
      }),
    )
    assert.is(put.statusCode, 200, put.body)
    const list = await open.server.inject(
      withToken(token, { url: '/api/pages/wh.rev/revisions?limit=1' }),
    )
    const { items, next } = JSON.parse(list.body) as {
      items: Record<string, unknown>[]
      next: string
    }
    const rest = await open.server.inject(
      withToken(token, { url: `/api/pages/wh.rev/revisions?limit=5&after=${next}` }),
    )
    const one = await open.server.inject(withToken(token, { url: '/api/pages/wh.rev/revisions/1' }))
    const diff = await open.server.inject(
      withToken(token, { url: '/api/pages/wh.rev/diff?from=1&to=2' }),
    )
    const anonymous = await open.server.inject('/api/pages/wh.rev/revisions')

    assert.is(items[0]?.['revision'], 2, list.body)
    assert.is(items[0]?.['actorName'], 'ed')
    assert.is(items[0]?.['door'], 'api')
    assert.is((JSON.parse(rest.body) as { items: { note: string }[] }).items[0]?.note, 'naïve')
    assert.is((member(one.body, 'document') as { summary: { title: string } }).summary.title, 'One')
    assert.equal(member(diff.body, 'patch'), [
      { op: 'replace', path: '/summary/title', value: 'Two' },
    ])
    assert.is(anonymous.statusCode, 401)
  })

  test('a batch is all or nothing', async () => {
    const operations = [
      { op: 'create', path: 'wh.batch', ...page('a') },
      { op: 'create', path: 'wh.batch.b', ...page('b') },
    ]
    const good = await open.server.inject(
      withToken(token, { method: 'POST', url: '/api/batch', payload: { operations } }),
    )
    const bad = await open.server.inject(
      withToken(token, {
        method: 'POST',
        url: '/api/batch',
        payload: {
          operations: [
            { op: 'create', path: 'wh.never', ...page('x') },
            { op: 'delete', path: 'wh.missing' },
          ],
        },
      }),
    )
    const never = await open.server.inject('/api/pages/wh.never')

    assert.is(good.statusCode, 200, good.body)
    assert.is((member(good.body, 'results') as unknown[]).length, 2)
    assert.is(bad.statusCode, 404)
    assert.is(member(bad.body, 'operation'), 1)
    assert.is(never.statusCode, 404)
  })

  test('the feed gives what one may see', async () => {
    const all = await open.server.inject(withToken(token, { url: '/api/log' }))
    const none = await open.server.inject('/api/log?limit=2')

    const { items } = JSON.parse(all.body) as { items: { type: string; path: string }[] }
    assert.ok(
      items.some(item => item.type === 'PageCreated' && item.path === 'wh.blog'),
      all.body.slice(0, 500),
    )
    assert.not.ok(items.some(item => item.type === 'RolePermitted'))
    assert.equal((JSON.parse(none.body) as { items: unknown[] }).items, [])
    assert.is(member(none.body, 'next'), '2')
  })

  test('a session begins, needs its token to write, and ends', async () => {
    const login = await open.server.inject({
      method: 'POST',
      url: '/api/session',
      payload: { user: 'ed', password: 'correct horse' },
    })
    assert.is(login.statusCode, 200, login.body)
    const cookie = String(login.headers['set-cookie']).split(';')[0] ?? ''
    const csrf = String(member(login.body, 'csrfToken'))
    const send = (headers: Record<string, string>) =>
      open.server.inject({
        method: 'POST',
        url: '/api/pages',
        headers: { cookie, ...headers },
        payload: { parent: 'wh', ...page('By session') },
      })
    const who = await open.server.inject({ url: '/api/session', headers: { cookie } })
    const without = await send({})
    const foreign = await send({ 'x-csrf-token': csrf, origin: 'https://evil.example' })
    const good = await send({ 'x-csrf-token': csrf, origin: 'http://localhost:80' })
    const good2 = await send({ 'x-csrf-token': csrf })
    const out = await open.server.inject({
      method: 'DELETE',
      url: '/api/session',
      headers: { cookie, 'x-csrf-token': csrf },
    })
    const after = await send({ 'x-csrf-token': csrf })

    assert.is((member(who.body, 'user') as { name: string }).name, 'ed')
    assert.is(without.statusCode, 403)
    assert.is(foreign.statusCode, 403)
    assert.is(good.statusCode, 201, good.body)
    assert.is(good2.statusCode, 201, good2.body)
    assert.is(out.statusCode, 204, out.body)
    assert.is(after.statusCode, 401)
  })

  test('failed logins are limited over all processes', async () => {
    const statuses: number[] = []
    for (let n = 0; n < 12; n++) {
      const answer = await open.server.inject({
        method: 'POST',
        url: '/api/session',
        payload: { user: 'Nobody ', password: 'x' },
        remoteAddress: `10.0.0.${n}`,
        headers: {},
      })
      statuses.push(answer.statusCode)
    }

    assert.ok(statuses.every(status => status === 403))
  })

  test('tokens are made, listed without secrets and revoked; a reading one makes none', async () => {
    const made = await open.server.inject(
      withToken(token, {
        method: 'POST',
        url: '/api/tokens',
        payload: { label: 'ci', scope: 'read' },
      }),
    )
    const reading = String(member(made.body, 'token'))
    const list = await open.server.inject(withToken(token, { url: '/api/tokens' }))
    const more = await open.server.inject(
      withToken(reading, { method: 'POST', url: '/api/tokens', payload: { scope: 'write' } }),
    )
    const gone = await open.server.inject(
      withToken(token, { method: 'DELETE', url: `/api/tokens/${String(member(made.body, 'id'))}` }),
    )
    const dead = await open.server.inject(withToken(reading, { url: '/api/pages/wh' }))

    assert.is(made.statusCode, 201, made.body)
    assert.not.match(list.body, /rm3_/)
    assert.is(more.statusCode, 403, more.body)
    assert.is(gone.statusCode, 204, gone.body)
    assert.is(dead.statusCode, 401)
    assert.match(String(dead.headers['www-authenticate']), /invalid_token/)
  })

  test('health, metrics, OpenAPI and its page are there', async () => {
    for (const url of [
      '/health/live',
      '/health/ready',
      '/metrics',
      '/api/openapi.json',
      '/api/docs',
      '/api/docs.css',
    ]) {
      const answer = await open.server.inject(url)
      assert.is(answer.statusCode, 200, `${url} ${answer.body.slice(0, 300)}`)
    }
    const proxied = await open.server.inject({
      url: '/metrics',
      headers: { 'x-forwarded-for': '1.2.3.4' },
    })
    const document = JSON.parse((await open.server.inject('/api/openapi.json')).body) as {
      openapi: string
      paths: object
    }

    assert.is(proxied.statusCode, 404)
    assert.is(document.openapi, '3.1.0')
    assert.ok(Object.keys(document.paths).includes('/api/pages/{path}'))
  })

  test('the same Idempotency-Key gets the same answer, another body 422', async () => {
    const send = (title: string) =>
      open.server.inject(
        withToken(token, {
          method: 'POST',
          url: '/api/pages',
          headers: { 'idempotency-key': 'k1' },
          payload: { parent: 'wh', ...page(title) },
        }),
      )
    const first = await send('Once')
    const again = await send('Once')
    const other = await send('Twice')

    assert.is(first.statusCode, 201, first.body)
    assert.is(again.statusCode, 201)
    assert.is(again.body, first.body)
    assert.is(again.headers['etag'], first.headers['etag'])
    assert.is(other.statusCode, 422)
  })

  test('an answer that was lost after the append is found in the log', async () => {
    const request = withToken(token, {
      method: 'POST',
      url: '/api/pages',
      headers: { 'idempotency-key': 'k2' },
      payload: { path: 'wh.lost', ...page('Lost') },
    })
    const first = await open.server.inject(request)
    await open.site.db.rows('delete from idempotency_keys')
    const again = await open.server.inject(request)

    assert.is(first.statusCode, 201)
    assert.is(again.statusCode, 200, again.body)
    assert.is(member(again.body, 'revisionId'), member(first.body, 'revisionId'))
  })

  test('bodies of other types are 415', async () => {
    for (const type of [
      'text/plain',
      'application/xml',
      'application/json; charset=utf-16',
      'garbage',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const answer = await open.server.inject(
        withToken(token, {
          method: 'POST',
          url: '/api/pages',
          headers: { 'content-type': type },
          payload: '{}',
        }),
      )
      assert.is(answer.statusCode, 415, `${type} ${answer.body}`)
    }
  })

  test('of 20 patches with the same ETag exactly one wins', async () => {
    const read = await open.server.inject('/api/pages/wh.news')
    const etag = String(read.headers.etag)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        open.server.inject(
          withToken(token, {
            method: 'PATCH',
            url: '/api/pages/wh.news',
            headers: { 'if-match': etag, 'content-type': 'application/merge-patch+json' },
            payload: { data: { n } },
          }),
        ),
      ),
    )
    const statuses = answers.map(answer => answer.statusCode).sort()

    assert.equal(statuses, [200, ...Array<number>(19).fill(412)])
  })

  test('administration takes grant, and shows users without what is private', async () => {
    const admin = await putUser(open, 'root', ['admin'])
    await putGrants(open, [
      ['admin', 'grant', '*'],
      ['admin', 'view', '*'],
      ['admin', 'post.edit', '*'],
      ['admin', 'user.edit', '*'],
    ])
    const send = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) =>
      open.server.inject(withToken(admin.token, { method, url, ...(payload && { payload }) }))
    for (const url of ['/api/grants', '/api/roles', '/api/roles/editor/members', '/api/config']) {
      assert.is((await open.server.inject(url)).statusCode, 401, url)
      assert.is((await open.server.inject(withToken(token, { url }))).statusCode, 403, url)
      assert.is((await send('GET', url)).statusCode, 200, url)
    }
    const grant = { role: 'guest', permission: 'view', pattern: 'wh.x' }
    assert.is((await send('PUT', '/api/grants', grant)).statusCode, 204)
    assert.match((await send('GET', '/api/grants')).body, /"guest"/)
    const search = String(new URLSearchParams(grant))
    assert.is((await send('DELETE', `/api/grants?${search}`)).statusCode, 204)
    assert.not.match((await send('GET', '/api/grants')).body, /"guest"/)
    const made = await send('POST', '/api/users', {
      login: 'Nora',
      fullName: 'Nora',
      email: 'n@example.org',
    })
    assert.is(made.statusCode, 201, made.body)
    assert.is(
      (await send('PUT', '/api/users/nora/password', { password: 'long enough' })).statusCode,
      204,
    )
    assert.is((await send('PUT', '/api/roles/guest/members/nora')).statusCode, 204)
    assert.match((await send('GET', '/api/roles/guest/members')).body, /wh\.users\.nora/)
    assert.match((await send('GET', '/api/users/nora')).body, /n@example\.org/)
    assert.not.match(
      (await open.server.inject(withToken(token, { url: '/api/users/nora' }))).body,
      /n@example/,
    )
    assert.is((await open.server.inject('/api/users/nora')).statusCode, 404)
    assert.is(
      (
        await open.server.inject({
          method: 'PUT',
          url: '/api/users/nora/password',
          payload: { password: 'x' },
        })
      ).statusCode,
      401,
    )
    assert.is((await send('DELETE', '/api/roles/guest/members/nora')).statusCode, 204)
    assert.is((await send('PUT', '/api/config/my.name', { value: 'Mine' })).statusCode, 204)
    assert.match((await send('GET', '/api/config')).body, /"Mine"/)
    assert.is((await send('PUT', '/api/config/my.name', { value: null })).statusCode, 204)
    assert.not.match((await send('GET', '/api/config')).body, /my.name/)
  })
})
