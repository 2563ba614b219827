import { createToken, setPassword } from '../../src/commands/accounts.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import {
  member,
  putGrants,
  putPages,
  putUser,
  type TestServer,
  testServer,
  withToken,
} from './support.ts'

suite('users over HTTP', test => {
  let open: TestServer
  let admin = ''
  let ann: { id: string; token: string }
  type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'
  const by = (token: string, method: Method, url: string, payload?: object) =>
    open.server.inject(withToken(token, { method, url, ...(payload && { payload }) }))
  const as = (method: Method, url: string, payload?: object) => by(admin, method, url, payload)
  const logIn = (user: string, password: string) =>
    open.server.inject({ method: 'POST', url: '/api/session', payload: { user, password } })

  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ['nobody', 'view', 'wh.!users.*'],
      ['member', 'view', 'wh.users.!secret.*'],
      ['maker', 'view', '*'],
      ['maker', 'post.edit', 'wh.users'],
      ...['view', 'post.edit', 'post.delete', 'user.edit', 'grant'].map(
        permission => ['admin', permission, '*'] as const,
      ),
    ])
    await putPages(open, ['wh', 'wh.users'])
    admin = (await putUser(open, 'boss', ['admin'])).token
    ann = await putUser(open, 'ann', ['member'])
    await putUser(open, 'secret', [])
  })
  test.after(() => open.close())

  test('a user is made who can log in', async () => {
    const made = await as('POST', '/api/users', {
      ...{ login: 'Cid', fullName: 'Cid C.', profile: 'Writes', profileUrl: 'https://c.example' },
      ...{ email: 'cid@example.org', password: 'one two three' },
    })
    const taken = await as('POST', '/api/users', { login: 'cid', fullName: 'Again' })
    const session = await logIn('cid@example.org', 'one two three')

    assert.is(made.statusCode, 201, made.body)
    assert.is(made.headers.location, '/api/users/cid')
    assert.is(member(made.body, 'path'), 'wh.users.cid')
    assert.not.ok(made.body.includes('one two'))
    assert.is(taken.statusCode, 409)
    assert.is(session.statusCode, 200, session.body)
  })

  test('a user that is none, or by who may not, is not made', async () => {
    const maker = (await putUser(open, 'maker', ['maker'])).token
    const plain = await by(maker, 'POST', '/api/users', { login: 'dora', fullName: 'Dora' })
    const login = { login: 'eve', fullName: 'Eve', password: 'abc' }

    assert.is(plain.statusCode, 201, plain.body)
    assert.is((await by(maker, 'POST', '/api/users', login)).statusCode, 403)
    assert.is((await by(ann.token, 'POST', '/api/users', login)).statusCode, 403)
    const anyone = await open.server.inject({ method: 'POST', url: '/api/users', payload: login })
    assert.is(anyone.statusCode, 401)
    assert.is((await as('GET', '/api/users/eve')).statusCode, 404)
    assert.is((await as('POST', '/api/users', { login: 'a b', fullName: 'x' })).statusCode, 400)
    assert.is((await as('POST', '/api/users', { ...login, password: '' })).statusCode, 422)
    assert.is((await as('GET', '/api/users/eve')).statusCode, 404)
  })

  test('lists those one may view, a part at a time, and tells more to those who may know', async () => {
    const names: string[] = []
    let after = ''
    do {
      const answer = await by(ann.token, 'GET', `/api/users?limit=1${after}`)
      const { items, next } = JSON.parse(answer.body)
      names.push(...items.map((item: { login: string }) => item.login))
      after = next === null ? '' : `&after=${next}`
    } while (after !== '')
    const own = await by(ann.token, 'GET', '/api/users/ann')
    const other = await by(ann.token, 'GET', '/api/users/boss')
    const hidden = await by(ann.token, 'GET', '/api/users/secret')
    const absent = await by(ann.token, 'GET', '/api/users/nothing')
    const seen = await as('GET', '/api/users/ann')
    const anyone = await open.server.inject('/api/users')

    assert.not(names.includes('secret'))
    assert.ok(names.includes('ann') && names.includes('boss'))
    assert.equal(member(own.body, 'roles'), ['member'])
    assert.is((member(own.body, 'credentials') as object[]).length, 1)
    assert.is(member(other.body, 'roles'), null)
    assert.is(member(other.body, 'disabled'), null)
    assert.is(member(other.body, 'credentials'), null)
    assert.is(hidden.statusCode, 404)
    assert.is(absent.statusCode, 404)
    assert.is(member(hidden.body, 'detail'), 'there is no user "secret"')
    assert.is(member(absent.body, 'detail'), 'there is no user "nothing"')
    assert.equal(member(seen.body, 'roles'), ['member'])
    assert.not(/hash|secret"/.test(seen.body))
    assert.equal(member(anyone.body, 'items'), [])
    assert.is((await as('GET', '/api/users?limit=0')).statusCode, 400)
    assert.is((await as('GET', '/api/users?after=x')).statusCode, 400)
  })

  test('a password of one’s own takes the old one, another’s the right to', async () => {
    await setPassword(open.site, AS_ROOT, ann.id, 'first one')
    const url = '/api/users/ann/password'
    const without = await by(ann.token, 'PUT', url, { password: 'second' })
    const wrong = await by(ann.token, 'PUT', url, { password: 'second', old: 'wrong' })
    const right = await by(ann.token, 'PUT', url, { password: 'second', old: 'first one' })
    const session = await logIn('ann', 'second')
    const cookie = String(session.headers['set-cookie']).split(';')[0] ?? ''
    const reset = await as('PUT', url, { password: 'third' })
    const ended = await open.server.inject({ url: '/api/session', headers: { cookie } })

    assert.is(without.statusCode, 401)
    assert.is(wrong.statusCode, 401)
    assert.is(right.statusCode, 204, right.body)
    assert.is(session.statusCode, 200)
    assert.is(reset.statusCode, 204, reset.body)
    assert.is(member(ended.body, 'user'), null)
    assert.is((await logIn('ann', 'third')).statusCode, 200)
    assert.is((await as('PUT', url, { password: '' })).statusCode, 422)
  })

  test('a password of another’s is not for everyone', async () => {
    const reading = await createToken(open.site, AS_ROOT, { userId: ann.id, scope: 'read' })
    const url = '/api/users/boss/password'
    const own = { password: 'new', old: 'third' }

    assert.is((await by(ann.token, 'PUT', url, { password: 'x' })).statusCode, 403)
    const hidden = await by(ann.token, 'PUT', '/api/users/secret/password', { password: 'x' })
    assert.is(hidden.statusCode, 404)
    const anyone = await open.server.inject({ method: 'PUT', url, payload: { password: 'x' } })
    assert.is(anyone.statusCode, 401)
    assert.is((await by(reading.token, 'PUT', '/api/users/ann/password', own)).statusCode, 403)
    assert.is((await logIn('ann', 'third')).statusCode, 200)
  })

  test('a deleted user is out at once, and stays out when undeleted', async () => {
    const { token } = await putUser(open, 'gone', ['member'])
    await as('PUT', '/api/users/gone/password', { password: 'goodbye' })
    const session = await logIn('gone', 'goodbye')
    const cookie = String(session.headers['set-cookie']).split(';')[0] ?? ''
    const denied = await by(ann.token, 'DELETE', '/api/users/gone')
    const deleted = await as('DELETE', '/api/users/gone')
    const back = await as('POST', '/api/pages/wh.users.gone/undelete', {})
    const after = await open.server.inject({ url: '/api/session', headers: { cookie } })

    assert.is(denied.statusCode, 403)
    assert.is(deleted.statusCode, 204, deleted.body)
    assert.is(back.statusCode, 200, back.body)
    assert.is(member(after.body, 'user'), null)
    assert.is((await by(token, 'GET', '/api/session')).statusCode, 401)
    assert.is((await logIn('gone', 'goodbye')).statusCode, 401)
    assert.equal(member((await as('GET', '/api/users/gone')).body, 'roles'), ['member'])
    assert.is((await as('DELETE', '/api/users/nothing')).statusCode, 404)
  })
})
