import type { FastifyInstance } from 'fastify'
import { buildServer } from '../../src/http/server.ts'
import type { Appends } from '../../src/log/append-watch.ts'
import { assert, suite } from '../harness.ts'
import { putPages, type TestServer, testServer } from './support.ts'

suite('probes and figures', test => {
  let open: TestServer
  test.before(async () => {
    open = await testServer()
  })
  test.after(() => open.close())

  const ready = async (server: FastifyInstance) => {
    const { statusCode, body } = await server.inject('/health/ready')
    return [statusCode, body.includes('"UNAVAILABLE"')]
  }

  test('figures tell of appends, how long they took, and of batches', async () => {
    await putPages(open, ['wh.a', 'wh.b'])
    const { body } = await open.server.inject('/metrics')

    for (const figure of [
      'rm3_appends_total{outcome="done"} 2',
      'rm3_append_seconds_count 2',
      'rm3_append_batch_size_count 2',
      'rm3_append_batch_size_sum 2',
      'rm3_appends_waiting 0',
    ]) {
      assert.ok(body.split('\n').includes(figure), figure)
    }
  })

  test('a process is ready while it reads and writes, and not from the signal to end on', async () => {
    const server = buildServer({ site: open.site, wakeups: null })
    await server.ready()

    assert.equal(await ready(server), [200, false])
    server.drain.begun = true
    assert.equal(await ready(server), [503, true])
    await server.close()
  })

  test('a process whose writes do not get through is alive and not ready', async () => {
    const appends: Appends = { waiting: 0, trouble: 'x', observe: () => () => {} }
    const server = buildServer({ site: open.site, wakeups: null, appends })
    await server.ready()

    assert.equal(await ready(server), [503, true])
    assert.is((await server.inject('/health/live')).statusCode, 200)
    await server.close()
  })
})
