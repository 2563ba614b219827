import { one } from '../../src/pg/db.ts'
import { assert, suite } from '../harness.ts'
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

/** Ways to write /api/pages/wh.secret or what is taken for it. */
const SPELLINGS = [
  '/api/pages/wh.secret',
  '/api/pages/wh%2esecret',
  '/api/pages/wh%2Esecret',
  '/api/pages/WH.SECRET',
  '/api/pages/wh.secret/',
  '//api/pages/wh.secret',
  '/api//pages/wh.secret',
  '/api/./pages/wh.secret',
  '/api/x/../pages/wh.secret',
  '/api/%2e/pages/wh.secret',
  '/api/pages/wh.secret?',
  '/api/pages/wh.secret%3f',
  '/api/pages/wh.secret%00',
  '/api/pages/wh.secret;x',
  '/api/pages/wh.secret;x=1',
  '/API/pages/wh.secret',
  '/api/pages/wh%252esecret',
  '/api/pages/%77h.secret',
  '/api/pages/wh.secret#x',
  '/api/pages/wh.secret%20',
  '/api/pages/wh.secret.',
  '/api/pages/.wh.secret',
  '/api/pages/wh..secret',
  '/api/pages/wh.secret%0a',
  '/api/pages/wh/secret',
  '/api/pages/wh.secret/revisions',
  '/api/pages/wh.secret/revisions/1',
  '/api/pages/wh.secret/diff?from=1&to=1',
  '/secret/',
  '/secret',
  '/SECRET/',
  '//secret/',
  '/%73ecret/',
  '/secret/.',
  '/./secret/',
  '/x/../secret/',
  '/secret;x/',
  '/secret/%2e%2e/',
  '/secret%2f',
  '/secret/?at=position:5',
  '/api/pages/wh.secret?at=position:5',
  '/api/pages/wh.secret?at=revision:1',
  '/api/pages?parent=wh&proto=base&limit=9',
  '/api/log?limit=99',
]

const PATCHES: unknown[] = [
  [{ op: 'add', path: '/__proto__/admin', value: true }],
  [{ op: 'add', path: '/constructor/prototype/admin', value: true }],
  [{ op: 'add', path: '/data/~0__proto__', value: 1, x: 1 }],
  [{ op: 'constructor', path: '/a' }],
  [{ op: 'toString', path: '/a' }],
  [{ op: '_get', path: '/data' }],
  [{ op: 'copy', from: '/__proto__', path: '/data/x' }],
  [{ op: 'move', from: '/data', path: '/data/x' }],
  [{ op: 'add', path: '/data/list/4294967294', value: 1 }],
  [{ op: 'add', path: 'data', value: 1 }],
  [{ op: 'replace', path: '/data/missing', value: 1 }],
  Array.from({ length: 1000 }, () => ({ op: 'add', path: '/data/x', value: 1 })),
  'text',
  5,
  null,
  {},
]

suite('attacks over HTTP', test => {
  let open: TestServer
  let token = ''
  let secret = ''
  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ['nobody', 'view', 'wh.!secret.*'],
      ['nobody', 'history', 'wh.!secret.*'],
      ['editor', 'view', '*'],
      ['editor', 'history', '*'],
      ['editor', 'post.edit', '*'],
    ])
    await putPages(open, ['wh', 'wh.open', 'wh.secret'])
    token = (await putUser(open, 'ed', ['editor'])).token
    const row = await one<{ id: string }>(
      open.site.db,
      `select since_id as id from pages where path = 'wh.secret'`,
    )
    secret = row.id
  })
  test.after(() => open.close())

  for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    test(`no spelling of an address leads past the rights (${method})`, async () => {
      for (const url of SPELLINGS) {
        const headers = {
          accept: 'application/json',
          'x-http-method-override': 'GET',
          'x-original-url': '/api/pages/wh.secret',
          host: 'evil.example',
        }
        const answer = await open.server.inject({ method, url, headers })
        assert.not.match(answer.body, /"title":"wh\.secret"|"path":"wh\.secret","entityId"/, url)
        assert.ok(answer.statusCode < 500, `${url} ${answer.statusCode} ${answer.body}`)
        assert.is.not(answer.headers.etag, `"${secret}"`, url)
      }
    })
  }

  test('what may not be seen has the same status, headers and body as what is not there', async () => {
    const [hidden, absent] = await Promise.all(
      ['wh.secret', 'wh.sacret'].map(path => open.server.inject(`/api/pages/${path}`)),
    )
    const plain = (text = '') =>
      text.replaceAll(/s[ae]cret/g, 'X').replace(/"requestId":"[^"]+"/, '')
    const headersOf = (answer: typeof hidden) => Object.keys(answer?.headers ?? {}).sort()

    assert.is(plain(hidden?.body), plain(absent?.body))
    assert.equal(headersOf(hidden), headersOf(absent))
  })

  test('a hostile patch is refused and changes nothing', async () => {
    const { headers } = await open.server.inject('/api/pages/wh.open')
    const before = (await open.server.inject('/api/pages/wh.open')).body
    for (const patch of PATCHES) {
      const started = Date.now()
      const answer = await open.server.inject(
        withToken(token, {
          method: 'PATCH',
          url: '/api/pages/wh.open',
          payload: JSON.stringify(patch),
          headers: {
            'if-match': String(headers.etag),
            'content-type': 'application/json-patch+json',
          },
        }),
      )
      assert.ok(
        [400, 409, 422].includes(answer.statusCode),
        `${JSON.stringify(patch).slice(0, 80)} ${answer.body}`,
      )
      assert.ok(Date.now() - started < 1000)
    }
    assert.is((await open.server.inject('/api/pages/wh.open')).body, before)
    assert.is(({} as { admin?: boolean }).admin, undefined)
  })

  test('hostile JSON is refused', async () => {
    const bodies = [
      '{"__proto__":{"admin":true}}',
      '{"path":"wh.a","path":"wh.b"}',
      '['.repeat(100_000),
      '{"a":1e999}',
      '{"a":"\\u0000"}',
      '{"a":"\\ud800"}',
      '{',
      '',
      'null',
      '{"path":"wh.a\\u0000"}',
    ]
    for (const payload of bodies) {
      const answer = await open.server.inject(
        withToken(token, {
          method: 'POST',
          url: '/api/pages',
          payload,
          headers: { 'content-type': 'application/json' },
        }),
      )
      assert.is(answer.statusCode, 400, `${payload.slice(0, 40)} ${answer.body}`)
    }
  })

  test('members that the server sets are refused', async () => {
    for (const name of [
      'id',
      'author',
      'created',
      'revision',
      'position',
      'entityId',
      'state',
      'roles',
    ]) {
      const payload = { path: 'wh.mass', ...page('x'), [name]: 'x' }
      const answer = await open.server.inject(
        withToken(token, { method: 'POST', url: '/api/pages', payload }),
      )
      assert.is(answer.statusCode, 400, `${name} ${answer.body}`)
    }
  })

  test('a body over the limit is 413', async () => {
    const payload = JSON.stringify({
      path: 'wh.big',
      ...page('x', { data: { text: 'x'.repeat(6_000_000) } }),
    })
    const answer = await open.server.inject(
      withToken(token, {
        method: 'POST',
        url: '/api/pages',
        payload,
        headers: { 'content-type': 'application/json' },
      }),
    )

    assert.is(answer.statusCode, 413)
  })

  test('every answer says what a browser may do with it', async () => {
    for (const url of [
      '/api/pages/wh.open',
      '/api/pages/wh.nothing',
      '/nothing/',
      '/api/docs',
      '/health/live',
    ]) {
      const { headers } = await open.server.inject(url)
      assert.match(
        String(headers['content-security-policy']),
        /default-src 'none'.*frame-ancestors 'none'/,
        url,
      )
      assert.is(headers['x-content-type-options'], 'nosniff')
      assert.ok(
        headers['referrer-policy'] &&
          headers['rm3-request-id'] &&
          headers['cache-control'] &&
          headers['vary'],
        url,
      )
      assert.not.ok(headers['strict-transport-security'])
    }
    const owned = await open.server.inject(withToken(token, { url: '/api/pages/wh.open' }))
    assert.is(owned.headers['cache-control'], 'private, no-cache')
  })

  test('an error of ours tells nothing but the id of the request', async () => {
    const { db } = open.site
    const broken = {
      ...db,
      rows: () => Promise.reject(new Error('select secret from /etc/passwd')),
    }
    const { buildServer } = await import('../../src/http/server.ts')
    const lines: string[] = []
    const server = buildServer({
      site: { ...open.site, db: broken },
      wakeups: null,
      options: { logLevel: 'error', logStream: { write: line => void lines.push(line) } },
    })
    const answer = await server.inject('/api/pages/wh')
    await server.close()

    assert.is(answer.statusCode, 500)
    assert.not.match(answer.body, /select|passwd|at /)
    assert.match(lines.join(''), new RegExp(String(answer.headers['rm3-request-id'])))
    assert.is(member(answer.body, 'requestId'), answer.headers['rm3-request-id'])
  })

  test('failed logins are counted by account and by address, also over IPv6', async () => {
    const logIn = (user: string, remoteAddress: string) =>
      open.server.inject({
        method: 'POST',
        url: '/api/session',
        payload: { user, password: 'x' },
        remoteAddress,
        headers: { 'x-forwarded-for': '9.9.9.9' },
      })
    const far = await logIn('ed', '10.1.1.1')
    await open.site.db.rows(
      `insert into rate_limits select key, 10, now() + interval '1 minute' from (values ($1::text)) v(key)`,
      [
        `login-account ${(await import('node:crypto')).createHash('sha256').update('ed').digest('base64url')}`,
      ],
    )
    const limited = await logIn(' ED', '127.0.0.1')

    assert.is(far.statusCode, 403)
    assert.is(limited.statusCode, 429)
    assert.ok(Number(limited.headers['retry-after']) > 0)
  })
})
