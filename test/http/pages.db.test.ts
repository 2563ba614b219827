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

suite('pages over HTTP', test => {
  let open: TestServer
  let token = ''
  const as = (
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    payload?: object,
    headers: Record<string, string> = {},
  ) => open.server.inject(withToken(token, { method, url, headers, ...(payload && { payload }) }))

  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ['nobody', 'view', 'wh.!secret.*'],
      ['editor', 'view', '*'],
      ['editor', 'history', '*'],
      ['editor', 'viewdraft', '*'],
      ['editor', 'post.edit', '*'],
      ['editor', 'post.delete', '*'],
    ])
    await putPages(open, ['wh', 'wh.blog', 'wh.secret'])
    token = (await putUser(open, 'ed', ['editor'])).token
  })
  test.after(() => open.close())

  test('gives a page as JSON with its ETag and 304 when it is known', async () => {
    const first = await open.server.inject('/api/pages/wh.blog')
    const etag = String(first.headers.etag)
    const again = await open.server.inject({
      url: '/api/pages/wh.blog',
      headers: { 'if-none-match': etag },
    })

    assert.is(first.statusCode, 200)
    assert.is(member(first.body, 'path'), 'wh.blog')
    assert.is(member(first.body, 'revisionNum'), 1)
    assert.is(again.statusCode, 304)
    assert.is(again.body, '')
  })

  test('answers a page that may not be seen as one that is not there', async () => {
    const hidden = await open.server.inject('/api/pages/wh.secret')
    const absent = await open.server.inject('/api/pages/wh.secret2')

    assert.is(hidden.statusCode, 404)
    assert.is(absent.statusCode, 404)
    assert.is(member(hidden.body, 'code'), 'PAGE_NOT_FOUND')
  })

  test('makes, edits, patches, moves, deletes and brings back a page', async () => {
    const made = await as('POST', '/api/pages', { path: 'wh.blog.first', ...page('First') })
    assert.is(made.statusCode, 201, made.body)
    const put = await as('PUT', '/api/pages/wh.blog.first', page('Second'), {
      'if-match': String(made.headers.etag),
    })
    assert.is(put.statusCode, 200, put.body)
    const stale = await as('PUT', '/api/pages/wh.blog.first', page('Third'), {
      'if-match': String(made.headers.etag),
    })
    assert.is(stale.statusCode, 412)
    assert.is(stale.headers.etag, put.headers.etag)
    const patched = await as(
      'PATCH',
      '/api/pages/wh.blog.first',
      [{ op: 'replace', path: '/summary/title', value: 'Fourth' }],
      {
        'if-match': String(put.headers.etag),
        'content-type': 'application/json-patch+json',
      },
    )
    assert.is(patched.statusCode, 200, patched.body)
    const merged = await as(
      'PATCH',
      '/api/pages/wh.blog.first',
      { data: { x: 1 } },
      {
        'if-match': String(patched.headers.etag),
        'content-type': 'application/merge-patch+json',
      },
    )
    assert.is(merged.statusCode, 200, merged.body)
    const read = await as('GET', '/api/pages/wh.blog.first')
    assert.equal(member(read.body, 'summary'), { title: 'Fourth', abstract: '' })
    assert.equal(member(read.body, 'data'), { x: 1 })
    const moved = await as('POST', '/api/pages/wh.blog.first/move', { to: 'wh.blog.one' })
    assert.is(moved.statusCode, 200, moved.body)
    const old = await as('GET', '/api/pages/wh.blog.first')
    assert.is(old.statusCode, 308)
    assert.is(old.headers.location, '/api/pages/wh.blog.one')
    const gone = await as('DELETE', '/api/pages/wh.blog.one')
    assert.is(gone.statusCode, 200, gone.body)
    assert.is((await as('GET', '/api/pages/wh.blog.one')).statusCode, 410)
    const back = await as('POST', '/api/pages/wh.blog.one/undelete', {})
    assert.is(back.statusCode, 200, back.body)
    const past = await as(
      'GET',
      `/api/pages/wh.blog.first?at=position:${String(made.headers['rm3-position'])}`,
    )
    assert.equal(member(past.body, 'summary'), { title: 'First', abstract: '' })
    const revision = await as('GET', '/api/pages/wh.blog.one?at=revision:2')
    assert.equal(member(revision.body, 'summary'), { title: 'Second', abstract: '' })
  })

  test('wants If-Match for an edit', async () => {
    const answer = await as('PUT', '/api/pages/wh.blog', page('x'))

    assert.is(answer.statusCode, 428)
  })

  test('makes a path out of the title', async () => {
    const one = await as('POST', '/api/pages', { parent: 'wh.blog', ...page('Über uns!') })
    const two = await as('POST', '/api/pages', { parent: 'wh.blog', ...page('Über uns!') })

    assert.is(member(one.body, 'path'), 'wh.blog.ueber_uns', one.body)
    assert.is(member(two.body, 'path'), 'wh.blog.ueber_uns_2', two.body)
  })

  test('lists children by keyset', async () => {
    const first = await open.server.inject('/api/pages?parent=wh&limit=1')
    const body = JSON.parse(first.body) as { items: { path: string }[]; next: string | null }

    assert.equal(
      body.items.map(item => item.path),
      ['wh.blog'],
      first.body,
    )
  })
})
