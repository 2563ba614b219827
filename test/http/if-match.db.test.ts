import { assert, suite } from '../harness.ts'
import { member, page, putGrants, serverWithEditor, type TestServer, withToken } from './support.ts'

const OTHER = '"00000000-0000-4000-8000-000000000000"'
const GONE = '"older"'

suite('If-Match', test => {
  let open: TestServer
  let token = ''
  test.before(async () => {
    ;({ open, token } = await serverWithEditor())
    await putGrants(open, [['editor', 'viewdraft', '*']])
  })
  test.after(() => open.close())

  const as = (method: 'GET' | 'PUT' | 'POST' | 'DELETE', url: string, more: object = {}) =>
    open.server.inject(withToken(token, { method, url, ...more }))
  const make = async (path: string, draft = false) => {
    const made = await as('POST', '/api/pages', { payload: { path, ...page(path), draft } })
    return String(made.headers.etag)
  }
  const put = (path: string, ifMatch: string, more: object = {}) =>
    as('PUT', `/api/pages/${path}`, {
      payload: page(`after ${ifMatch.slice(0, 20)}`),
      headers: { 'if-match': ifMatch, ...more },
    })

  test('* is whatever the page says now, and nothing where there is no page', async () => {
    await make('wh.any')

    assert.is((await put('wh.any', '*')).statusCode, 200)
    assert.is((await put('wh.any', ' * ')).statusCode, 200)
    const { statusCode } = await as('POST', '/api/pages/wh.any/move', {
      ...{ payload: { to: 'wh.other' }, headers: { 'if-match': '*' } },
    })
    assert.is(statusCode, 200)
    assert.is((await put('wh.nowhere', '*')).statusCode, 404)
    const gone = await as('DELETE', '/api/pages/wh.other', { headers: { 'if-match': '*' } })
    assert.is(gone.statusCode, 200)
    assert.is((await put('wh.other', '*')).statusCode, 410)
  })

  test('a list is any of its ETags', async () => {
    const etag = await make('wh.list')
    const second = await put('wh.list', `${OTHER}, ${etag}`)
    const third = await put('wh.list', `, W/${GONE} ,,${String(second.headers['etag'])},`)

    assert.equal([second.statusCode, third.statusCode], [200, 200])
    const stale = await put('wh.list', `${OTHER}, ${etag}, "a,b"`)
    assert.is(stale.statusCode, 412)
    assert.is(stale.headers['etag'], third.headers['etag'])
    assert.is(member(stale.body, 'baseRevision'), 1)
    const two = await put('wh.list', `${etag}, ${String(second.headers['etag'])}`)
    assert.is(member(two.body, 'baseRevision'), 2)
    const moving = { payload: { to: 'wh.moved' }, headers: { 'if-match': `${OTHER}, ${etag}` } }
    assert.is((await as('POST', '/api/pages/wh.list/move', moving)).statusCode, 412)
  })

  test('a draft begins with what its author had, of several the first that is known', async () => {
    const etag = await make('wh.draft')
    const draft = await put('wh.draft', '*', { 'rm3-draft': 'true' })
    const next = await put('wh.draft', `${OTHER}, ${String(draft.headers['etag'])}, ${etag}`, {
      'rm3-draft': 'true',
    })

    assert.equal([draft.statusCode, next.statusCode], [200, 200])
    const { body } = await as('GET', '/api/pages/wh.draft/revisions/3')
    assert.is((JSON.parse(body) as { base?: number }).base ?? 2, 2)
  })

  test('is heeded where there are only drafts, which have ETags too', async () => {
    const etag = await make('wh.unborn', true)
    const remove = (ifMatch: string) =>
      as('DELETE', '/api/pages/wh.unborn', { headers: { 'if-match': ifMatch } })
    const stale = await remove(OTHER)

    assert.equal([stale.statusCode, stale.headers['etag']], [412, etag])
    const changed = await put('wh.unborn', '*', { 'rm3-draft': 'true' })
    assert.is(changed.statusCode, 200)
    assert.is((await remove(etag)).statusCode, 412)
    assert.is((await remove(String(changed.headers['etag']))).statusCode, 200)
  })

  test('is refused when it is neither, or without end', async () => {
    await make('wh.bad')

    const many = Array.from({ length: 51 }, () => OTHER).join(', ')
    for (const bad of ['x', '', '"x', '*, "x"', '"x" "y"', ',', '"a" , *', many]) {
      const { statusCode, body } = await put('wh.bad', bad)
      assert.equal([bad, statusCode, member(body, 'header')], [bad, 400, 'If-Match'])
    }
  })
})
