import { followSite } from '../../src/follow-site.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import type { Following } from '../../src/projector/follow.ts'
import { pauseProjection, resumeProjection } from '../../src/projector/operate.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE } from '../support/database.ts'
import { until } from '../support/following.ts'
import {
  page,
  putGrants,
  putPages,
  putUser,
  type TestServer,
  testServer,
  withToken,
} from './support.ts'

suite('Prefer: wait', test => {
  let open: TestServer
  let following: Following
  let token = ''
  const post = (path: string, prefer: string) =>
    open.server.inject(
      withToken(token, {
        method: 'POST',
        url: '/api/pages',
        headers: { prefer },
        payload: { path, ...page('Quicksilver') },
      }),
    )

  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ['nobody', 'view', '*'],
      ['editor', 'post.edit', '*'],
    ])
    await putPages(open, ['wh'])
    token = (await putUser(open, 'ed', ['editor'])).token
    following = followSite(
      { projections: await discoverProjections(), wakeups: open.wakeups },
      { url: open.url, site: TEST_SITE, say: () => {} },
    )
  })
  test.after(async () => {
    await following.stop()
    await open.close()
  })

  test('has a change answered once the search knows of it', async () => {
    const { statusCode, headers } = await post('wh.a', 'respond-async, wait=10')
    const { body } = await open.server.inject('/api/search?q=quicksilver')

    assert.is(statusCode, 201)
    assert.is(headers['preference-applied'], 'wait=10')
    assert.is((JSON.parse(body) as { items: unknown[] }).items.length, 1)
  })

  test('waits no longer than ten seconds, and says nothing of what cannot be reached', async () => {
    const far = await post('wh.b', 'wait=9999')
    await until(
      'it is live',
      async () =>
        await pauseProjection(open.site.db, 'links').then(
          () => true,
          () => false,
        ),
    )
    const start = performance.now()
    const paused = await post('wh.c', 'wait=10')
    const tookMs = performance.now() - start
    await resumeProjection(open.site.db, 'links')
    const other = await post('wh.d', 'waiting=5, wait=x')
    const refused = await post('wh.d', 'wait=5')

    assert.is(far.headers['preference-applied'], 'wait=10')
    assert.is(paused.statusCode, 201)
    assert.is(paused.headers['preference-applied'], undefined)
    assert.ok(tookMs < 5_000)
    assert.is(other.headers['preference-applied'], undefined)
    assert.equal([refused.statusCode, refused.headers['preference-applied']], [409, undefined])
  })

  test('and the figures tell how far the projections are', async () => {
    await post('wh.e', 'wait=10')
    const { body } = await open.server.inject('/metrics')

    assert.match(body, /^rm3_projection_lag_events\{projection="search"\} 0$/m)
    assert.match(body, /^rm3_projection_lag_seconds\{projection="search"\} 0$/m)
    assert.match(body, /^rm3_projection_state\{projection="search",state="live"\} 1$/m)
    assert.match(body, /^rm3_listen_up 1$/m)
  })
})
