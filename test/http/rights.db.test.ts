import { assert, suite } from '../harness.ts'
import {
  member,
  putGrants,
  putPages,
  putUser,
  type TestServer,
  testServer,
  withToken,
} from './support.ts'

suite('rights and settings over HTTP', test => {
  let open: TestServer
  let admin = ''
  let reader = ''
  type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'
  const by = (token: string, method: Method, url: string, payload?: object) =>
    open.server.inject(withToken(token, { method, url, ...(payload && { payload }) }))
  const as = (method: Method, url: string, payload?: object) => by(admin, method, url, payload)
  const grant = { role: 'writer', permission: 'post.edit', pattern: 'WH.Blog.*' }

  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ['nobody', 'view', 'wh.!users.*'],
      ['admin', 'view', '*'],
      ['admin', 'grant', '*'],
    ])
    await putPages(open, ['wh', 'wh.blog', 'wh.users'])
    admin = (await putUser(open, 'boss', ['admin'])).token
    reader = (await putUser(open, 'ann', [])).token
  })
  test.after(() => open.close())

  test('a grant is given once, listed, as it was too, and taken away', async () => {
    const before = String((await as('GET', '/api/log?limit=1')).statusCode)
    const made = await as('PUT', '/api/grants', grant)
    const again = await as('PUT', '/api/grants', grant)
    const listed = await as('GET', '/api/grants?role=writer')
    const gone = await as(
      'DELETE',
      '/api/grants?role=writer&permission=post.edit&pattern=wh.blog.*',
    )
    const position = String(made.headers['rm3-position'])
    const now = await as('GET', '/api/grants?role=writer')
    const then = await as('GET', `/api/grants?role=writer&at=position:${position}`)

    const kept = { role: 'writer', permission: 'post.edit', pattern: 'wh.blog.*' }
    assert.is(before, '200')
    assert.is(made.statusCode, 204, made.body)
    assert.is(again.statusCode, 204)
    assert.is(again.headers['rm3-position'], position)
    assert.equal(member(listed.body, 'items'), [kept])
    assert.is(gone.statusCode, 204, gone.body)
    assert.equal(member(now.body, 'items'), [])
    assert.equal(member(then.body, 'items'), [kept])
    assert.is(then.headers['rm3-position'], position)
  })

  test('a grant that is none is refused', async () => {
    for (const [payload, status, code] of [
      [{ ...grant, pattern: 'a..b' }, 422, 'PATTERN_INVALID'],
      [{ ...grant, role: 'two words' }, 422, 'ROLE_INVALID'],
      [{ ...grant, more: 1 }, 400, 'REQUEST_INVALID'],
      [{ role: 'writer' }, 400, 'REQUEST_INVALID'],
    ] as const) {
      const answer = await as('PUT', '/api/grants', payload)
      assert.is(answer.statusCode, status, answer.body)
      assert.is(member(answer.body, 'code'), code)
    }
    assert.is((await as('DELETE', '/api/grants?role=writer')).statusCode, 400)
  })

  test('without grant nothing of it is read or changed', async () => {
    const urls: [Method, string, object?][] = [
      ['GET', '/api/grants'],
      ['PUT', '/api/grants', grant],
      ['DELETE', '/api/grants?role=a&permission=b&pattern=c'],
      ['GET', '/api/roles/admin/members'],
      ['GET', '/api/roles'],
      ['GET', '/api/roles/admin'],
      ['GET', '/api/config'],
      ['GET', '/api/imports'],
      ['PUT', '/api/config/site.title', { value: 'x' }],
      ['DELETE', '/api/config/site.title'],
      ['GET', '/api/explain?user=ann&permission=view&path=wh'],
    ]
    for (const [method, url, payload] of urls) {
      const denied = await by(reader, method, url, payload)
      const anyone = await open.server.inject({ method, url, ...(payload && { payload }) })
      assert.is(denied.statusCode, 403, `${method} ${url} ${denied.body}`)
      assert.is(anyone.statusCode, 401, `${method} ${url} ${anyone.body}`)
    }
    const hidden = await by(reader, 'PUT', '/api/roles/admin/members/boss')
    const absent = await by(reader, 'PUT', '/api/roles/admin/members/xxxx')
    assert.is(hidden.statusCode, 404)
    assert.is(member(hidden.body, 'detail'), 'there is no user "boss"')
    assert.is(member(absent.body, 'detail'), 'there is no user "xxxx"')
    assert.is((await by(reader, 'PUT', '/api/roles/admin/members/ann')).statusCode, 404)
  })

  test('roles count and name their grants and members', async () => {
    const roles = await as('GET', '/api/roles')
    const role = await as('GET', '/api/roles/admin')
    const empty = await as('GET', '/api/roles/constructor')

    assert.equal(member(roles.body, 'items'), [
      { role: 'admin', members: 1, grants: 2 },
      { role: 'nobody', members: 0, grants: 1 },
    ])
    assert.equal(
      (member(role.body, 'members') as { path: string }[]).map(({ path }) => path),
      ['wh.users.boss'],
    )
    assert.is((member(role.body, 'grants') as object[]).length, 2)
    assert.equal(member(empty.body, 'members'), [])
  })

  test('a user is given a role, at once, and it is taken away', async () => {
    const url = '/api/roles/admin/members/ann'
    const made = await as('PUT', url)
    const again = await as('PUT', url)
    const sees = await by(reader, 'GET', '/api/grants')
    const gone = await as('DELETE', url)
    const blind = await by(reader, 'GET', '/api/grants')

    assert.is(made.statusCode, 204, made.body)
    assert.is(again.statusCode, 204)
    assert.is(sees.statusCode, 200)
    assert.is(gone.statusCode, 204)
    assert.is(blind.statusCode, 403)
    assert.is((await as('PUT', '/api/roles/admin/members/no_one')).statusCode, 404)
    assert.is((await as('PUT', '/api/roles/two%20words/members/ann')).statusCode, 422)
  })

  test('settings are put, read as they were, and taken away', async () => {
    const put = await as('PUT', '/api/config/site.title', { value: 'A site' })
    const again = await as('PUT', '/api/config/site.title', { value: 'A site' })
    const read = await as('GET', '/api/config')
    const gone = await as('DELETE', '/api/config/site.title')
    const now = await as('GET', '/api/config')
    const then = await as('GET', `/api/config?at=position:${String(put.headers['rm3-position'])}`)

    const items = [{ key: 'site.title', value: 'A site' }]
    assert.is(put.statusCode, 204, put.body)
    assert.is(again.headers['rm3-position'], put.headers['rm3-position'])
    assert.equal(member(read.body, 'items'), items)
    assert.is(gone.statusCode, 204)
    assert.equal(member(now.body, 'items'), [])
    assert.equal(member(then.body, 'items'), items)
    const back = await as('PUT', '/api/config/site.title', { value: 'Back' })
    assert.equal(member((await as('GET', '/api/config')).body, 'items'), [
      { key: 'site.title', value: 'Back' },
    ])
    assert.is(back.statusCode, 204)
    assert.is((await as('DELETE', '/api/config/never.set')).statusCode, 204)
    assert.is((await as('PUT', '/api/config/no%20key', { value: 1 })).statusCode, 400)
    assert.is((await as('PUT', '/api/config/site.title', {})).statusCode, 400)
  })

  test('a right is explained by the grants that say yes', async () => {
    const about = (user: string, path: string, more = '') =>
      as('GET', `/api/explain?user=${user}&permission=view&path=${path}${more}`)
    const yes = await about('boss', 'wh.users.boss')
    const no = await about('nobody', 'wh.users.boss')
    const then = await about('boss', 'wh', '&at=position:0')

    assert.is(member(yes.body, 'allowed'), true, yes.body)
    assert.equal(member(yes.body, 'because'), [{ role: 'admin', permission: 'view', pattern: '*' }])
    assert.is(member(no.body, 'allowed'), false)
    assert.equal(member(no.body, 'because'), [])
    assert.equal(member(no.body, 'missing'), member(yes.body, 'because'))
    assert.is(member(then.body, 'allowed'), false)
    assert.is((await about('no_one', 'wh')).statusCode, 404)
    assert.is((await about('boss', 'a..b')).statusCode, 400)
    assert.is((await about('boss', 'wh', '&at=revision:1')).statusCode, 400)
    assert.is((await as('GET', '/api/explain?user=boss&permission=view')).statusCode, 400)
  })
})
