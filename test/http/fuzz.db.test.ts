import type { LightMyRequestResponse } from 'fastify'
import { assert, suite } from '../harness.ts'
import { putGrants, putPages, putUser, type TestServer, testServer, withToken } from './support.ts'

const ROUNDS = 3_000
const SLOW_MS = 5_000
const VALUES = [
  '',
  '0',
  '-1',
  '1e9',
  '9007199254740993',
  'NaN',
  'null',
  'true',
  "'",
  "' or 1=1--",
  '"',
  '%00',
  '%ff',
  '%',
  '../',
  'wh',
  'wh.open',
  'wh..x',
  'x'.repeat(3_000),
  'position:1',
  'revision:1',
  'position:-1',
  '2020-01-01T00:00:00Z',
  '2020-02-31T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '0000-01-01T00:00:00Z',
  '-created',
  'ä',
  '\u202e',
  '*{0,65535}',
  '!a|b',
  '__proto__',
  'constructor',
]
const JSON_VALUES: unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  'wh.open',
  'x'.repeat(5_000),
  '\u0000',
  '\ud800',
  [],
  {},
  [[]],
  { a: { b: [] } },
  { constructor: {} },
  [{ op: 'add', path: '/data/x', value: 1 }],
]

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: { readonly content?: Record<string, { schema?: { properties?: object } }> }
}

/** All errors of the API have one shape, whatever was wrong. */
function assertProblem({ headers, statusCode, body }: LightMyRequestResponse, told: string): void {
  assert.match(String(headers['content-type']), /^application\/problem\+json/, told)
  const problem = JSON.parse(body) as { status: unknown; code: unknown }
  assert.is(problem.status, statusCode, told)
  assert.match(String(problem.code), /^[A-Z_]+$/, told)
}

suite('mutated requests', test => {
  let open: TestServer
  let token = ''
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor((seed / 2147483648) * below)
  }
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item

  test.before(async () => {
    open = await testServer()
    await putGrants(
      open,
      ['view', 'history', 'post.edit', 'viewdraft', 'grant'].map(
        permission => ['editor', permission, '*'] as const,
      ),
    )
    await putPages(open, ['wh', 'wh.open'])
    token = (await putUser(open, 'ed', ['editor'])).token
  })
  test.after(() => open.close())

  test('never end in an error of ours, a hang or a changed prototype', async () => {
    const document = JSON.parse((await open.server.inject('/api/openapi.json')).body) as {
      paths: Record<string, Record<string, Operation>>
    }
    const operations = Object.entries(document.paths)
      .filter(([path]) => path !== '/api/log/stream' && path !== '/api/session')
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
      )
    const prototype = Object.getOwnPropertyNames(Object.prototype).join()
    for (let round = 0; round < ROUNDS; round++) {
      const { path, method, operation } = pick(operations)
      const request = mutated(path, method, operation)
      const started = Date.now()
      const answer = await open.server.inject(random(3) > 0 ? withToken(token, request) : request)
      const told = `${method} ${JSON.stringify(request).slice(0, 600)} → ${answer.statusCode} ${answer.body.slice(0, 300)}`
      assert.ok(answer.statusCode < 500, told)
      assert.ok(answer.headers['rm3-request-id'], told)
      if (answer.statusCode >= 400) assertProblem(answer, told)
      assert.ok(Date.now() - started < SLOW_MS, told)
    }
    assert.is(Object.getOwnPropertyNames(Object.prototype).join(), prototype)
  })

  function mutated(path: string, method: string, { parameters = [], requestBody }: Operation) {
    const value = () => encodeURIComponent(pick(VALUES)).replaceAll('%25', '%')
    const url = path.replaceAll(/\{\w+\}/g, () => (random(2) ? 'wh.open' : value() || 'x'))
    const query = parameters
      .filter(parameter => parameter.in === 'query' && random(2))
      .map(parameter => `${parameter.name}=${value()}`)
    if (!random(10)) query.push(`${value()}=${value()}`)
    const headers: Record<string, string> = {}
    for (const name of [
      'if-match',
      'rm3-note',
      'rm3-draft',
      'rm3-minor',
      'if-none-match',
      'x-csrf-token',
      'cookie',
      'range',
      'if-range',
      'prefer',
      'accept',
      'accept-datetime',
      'idempotency-key',
      'last-event-id',
      'content-encoding',
    ]) {
      if (!random(4))
        headers[name] = pick([
          '"x"',
          'W/"y"',
          '*',
          'true',
          "utf-8''%ff",
          'x'.repeat(500),
          '"019ab000-0000-7000-8000-000000000000"',
          'rm3=x',
          'bytes=5-1',
          'wait=-1',
          'text/html;q=2, */*',
          'Tue, 20 Mar 9999 20:35:00 GMT',
        ])
    }
    const types = Object.keys(requestBody?.content ?? {})
    const type = pick(types.length === 0 ? ['application/json'] : types)
    const properties = Object.keys(requestBody?.content?.[type]?.schema?.properties ?? {})
    const payload = random(5)
      ? Object.fromEntries(
          properties.filter(() => random(4)).map(name => [name, pick(JSON_VALUES)]),
        )
      : pick(JSON_VALUES)
    const hasBody = !['get', 'head', 'delete'].includes(method)
    const text = JSON.stringify(payload) ?? ''
    return {
      method: method.toUpperCase() as 'GET',
      url: query.length === 0 ? url : `${url}?${query.join('&')}`,
      headers: { ...headers, ...(hasBody && { 'content-type': random(20) ? type : 'text/plain' }) },
      ...(hasBody && { payload: random(20) ? text : text.slice(0, -1) }),
    }
  }
})
