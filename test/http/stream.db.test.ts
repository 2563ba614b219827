import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { denyRole } from '../../src/commands/rights.ts'
import { openSite } from '../../src/open-site.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, TEST_SITE } from '../support/database.ts'
import { page, putGrants, putPages, type TestServer, testServer } from './support.ts'

suite('the event stream', test => {
  let open: TestServer
  let port = 0
  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ['nobody', 'view', 'wh.!secret.*'],
      ['nobody', 'history', 'wh.!secret.*'],
    ])
    await putPages(open, ['wh'])
    await open.server.listen({ port: 0, host: '127.0.0.1' })
    port = (open.server.server.address() as AddressInfo).port
  })
  test.after(() => open.close())

  /** Opens a stream. @returns what came so far, and how it is ended */
  function listen(
    headers: Record<string, string> = {},
  ): Promise<{ text: () => string; close: () => void }> {
    return new Promise((resolve, reject) => {
      let text = ''
      const request = get(
        { port, host: '127.0.0.1', path: '/api/log/stream', headers },
        response => {
          response.setEncoding('utf8').on('data', chunk => {
            text += chunk
          })
          resolve({ text: () => text, close: () => request.destroy() })
        },
      )
      request.on('error', reject)
    })
  }

  async function until(condition: () => boolean, what: () => string): Promise<void> {
    const deadline = Date.now() + 8_000
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`not in time: ${what()}`)
      await new Promise(done => setTimeout(done, 20))
    }
  }

  test('gives events that may be seen as they happen, from this process and another', async () => {
    const stream = await listen()
    const other = await openSite({
      url: open.url,
      site: TEST_SITE,
      allowUnsafe: true,
      connectionsMax: 2,
    })
    await change(open.site, AS_ROOT, it =>
      createPage(it, { path: 'wh.secret', document: page('s') }),
    )
    await change(open.site, AS_ROOT, it => createPage(it, { path: 'wh.here', document: page('h') }))
    await change(other.site, AS_ROOT, it =>
      createPage(it, { path: 'wh.there', document: page('t') }),
    )

    await until(() => stream.text().includes('wh.there'), stream.text)
    stream.close()
    await other.close()

    assert.match(stream.text(), /id: \d+\nevent: PageCreated\ndata: \{.*"path":"wh\.here"/)
    assert.not.match(stream.text(), /secret/)
  })

  test('goes on behind Last-Event-ID', async () => {
    const stream = await listen({ 'last-event-id': '0' })

    await until(() => stream.text().includes('"path":"wh"'), stream.text)
    stream.close()
  })

  test('stops showing what one may not see any more', async () => {
    const stream = await listen()
    await change(open.site, AS_ROOT, it =>
      denyRole(it, { role: 'nobody', permission: 'history', pattern: 'wh.!secret.*' }),
    )
    await change(open.site, AS_ROOT, it => createPage(it, { path: 'wh.late', document: page('l') }))
    const { position } = (
      await open.site.db.rows<{ position: number }>('select position from log_head')
    )[0] ?? { position: -1 }

    await until(() => stream.text().includes(`id: ${position}\n`), stream.text)
    stream.close()

    assert.not.match(stream.text(), /wh\.late/)
  })

  test('ends when the server closes', async () => {
    const stream = await listen()
    const closed = open.server.close()

    await closed
    stream.close()
    assert.ok(open.server.drain.begun)
  })
})
