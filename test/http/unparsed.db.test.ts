import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { assert, suite } from '../harness.ts'
import { putGrants, putPages, putUser, type TestServer, testServer, withToken } from './support.ts'

const LINES: readonly [string, string, number, string][] = [
  ['a method that HTTP does not know', 'FOO / HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'REQUEST_INVALID'],
  ['what is no HTTP at all', '\u0016\u0003\u0001\u0002\u0000', 400, 'REQUEST_INVALID'],
  [
    'an address of 20 kB',
    `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    431,
    'HEADERS_TOO_LARGE',
  ],
  [
    'two lengths of a body',
    'POST /api/pages HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    400,
    'REQUEST_INVALID',
  ],
  [
    'a malformed escape',
    'GET /api/pages/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    400,
    'REQUEST_INVALID',
  ],
]

suite('requests that reach no route', test => {
  let open: TestServer
  let port = 0
  let token = ''

  test.before(async () => {
    open = await testServer()
    await open.server.listen({ host: '127.0.0.1', port: 0 })
    port = (open.server.server.address() as AddressInfo).port
    await putGrants(open, [
      ['editor', 'post.delete', '*'],
      ['editor', 'post.edit', '*'],
      ['editor', 'view', '*'],
    ])
    await putPages(open, ['wh', 'wh.gone'])
    token = (await putUser(open, 'ed', ['editor'])).token
  })
  test.after(() => open.close())

  for (const [what, bytes, status, code] of LINES) {
    test(`${what} is answered with a problem and the id of the request`, async () => {
      const [head = '', body = ''] = (await exchange(port, bytes)).split('\r\n\r\n', 2)

      assert.match(head, new RegExp(`^HTTP/1.1 ${status} `))
      assert.match(head, /content-type: application\/problem\+json/i)
      const id = /rm3-request-id: (\S+)/i.exec(head)?.[1]
      assert.equal(
        [JSON.parse(body).code, JSON.parse(body).status, JSON.parse(body).requestId],
        [code, status, id],
      )
    })
  }

  test('an expectation that nobody knows is left alone', async () => {
    const request = 'GET /health/live HTTP/1.1\r\nHost: a\r\nExpect: x\r\nConnection: close\r\n\r\n'

    assert.match(await exchange(port, request), /^HTTP\/1.1 200 /)
  })

  test('a method that is not for an address is 405, whatever the type of the body', async () => {
    const answer = await open.server.inject({
      method: 'PUT',
      url: '/api/pages',
      headers: { 'content-type': 'text/plain' },
      payload: 'x',
    })

    assert.is(answer.statusCode, 405)
  })

  test('a body where none is taken is told so', async () => {
    const answer = await open.server.inject(
      withToken(token, { method: 'DELETE', url: '/api/pages/wh.gone', payload: {} }),
    )

    assert.is(answer.statusCode, 415)
    assert.is(JSON.parse(answer.body).detail, 'send no body with this')
  })

  test('a body of which every member may be left out may be left out', async () => {
    const gone = withToken(token, { method: 'DELETE', url: '/api/pages/wh.gone' })
    const back = withToken(token, { method: 'POST', url: '/api/pages/wh.gone/undelete' })

    assert.is((await open.server.inject(gone)).statusCode, 200)
    assert.is((await open.server.inject(back)).statusCode, 200)
    assert.is((await open.server.inject({ ...back, url: '/api/session' })).statusCode, 400)
  })
})

/** What the server answers to these bytes, until it closes the connection. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const parts: Buffer[] = []
  socket.on('data', part => parts.push(part))
  socket.end(Buffer.from(bytes, 'latin1'))
  await once(socket, 'close')
  return Buffer.concat(parts).toString()
}
