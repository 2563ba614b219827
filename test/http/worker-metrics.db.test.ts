import { setUpWorkers } from '../../src/jobs/checkpoints.ts'
import { discoverWorkers } from '../../src/jobs/discover.ts'
import { assert, suite } from '../harness.ts'
import { type TestServer, testServer } from './support.ts'

suite('figures of workers', test => {
  let open: TestServer
  test.before(async () => {
    open = await testServer()
  })
  test.after(() => open.close())

  test('tell which failed, which are not tried again, and when they ended', async () => {
    await setUpWorkers(open.site.db, await discoverWorkers())
    await open.site.db.rows(
      `update checkpoints set state = 'failed', error = 'x', ended = '2026-01-01T00:00:00Z' where name = 'clean-up'`,
    )
    const { body } = await open.server.inject({ url: '/metrics', remoteAddress: '127.0.0.1' })

    assert.match(body, /^rm3_worker_failed\{worker="clean-up"\} 1$/m)
    assert.match(body, /^rm3_worker_stopped\{worker="clean-up"\} 1$/m)
    assert.match(body, /^rm3_worker_ended_seconds\{worker="clean-up"\} 1767225600$/m)
    assert.match(body, /^rm3_worker_failed\{worker="collect-blobs"\} 0$/m)
  })
})
