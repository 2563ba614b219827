import { change } from '../../src/commands/change.ts'
import { createPage, movePage } from '../../src/commands/pages.ts'
import { resetWorker, setUpWorkers } from '../../src/jobs/checkpoints.ts'
import { assert, suite } from '../harness.ts'
import { page } from '../http/support.ts'
import { AS_ROOT } from '../support/database.ts'
import { until } from '../support/until.ts'
import { type WorkerSite, workerSite } from '../support/worker-site.ts'

const WORKERS = {
  follow: `subscription: { on: ['PageCreated'], batchMax: 2 },
    run: async ({ events }) => { trace(events.map(event => event.data.path).join(' ')) }`,
  stumble: `subscription: { on: ['PageCreated'], batchMax: 1, from: 'start' }, run: async ({ events: [event] }) => {
    if (event.data.path === 'wh.bad') throw new Error('not that one')
    trace('stumble ' + event.data.path) }`,
  count: `schedule: { every: '1h' }, run: async () => {}`,
}

suite('a subscription', test => {
  let open: WorkerSite
  test.before(async () => {
    open = await workerSite(WORKERS)
  })
  test.after(() => open.close())
  const make = (...names: string[]) =>
    change(open.site, AS_ROOT, async it => {
      for (const name of names) await createPage(it, { path: `wh.${name}`, document: page(name) })
    })
  const tokenOf = async (name: string) => {
    const [row] = await open.site.db.rows<{ token: number }>(
      `select lease_token as token from checkpoints where name = $1::text`,
      [name],
    )
    return row?.token ?? 0
  }

  test('is given the events of its types from when it began, in order and in batches', async () => {
    await make('early')
    const scheduler = await open.scheduler(['follow'])
    await scheduler.start()
    await make('a', 'b', 'c')
    await until(() => open.traces().includes('wh.c'))
    await make('d')
    await until(() => open.traces().includes('wh.d'))
    await until(async () => (await open.status('follow')).lag === 0)
    await scheduler.stop()

    assert.equal(open.traces(), ['wh.a wh.b', 'wh.c', 'wh.d'])
  })

  test('goes over events of other types without a thread', async () => {
    const scheduler = await open.scheduler(['follow'])
    const { lastRun } = await open.status('follow')
    const token = await tokenOf('follow')
    await scheduler.start()
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.a', 'wh.aa'))
    await until(async () => (await open.status('follow')).lag === 0)
    await scheduler.stop()

    assert.equal((await open.status('follow')).lastRun, lastRun)
    assert.is(await tokenOf('follow'), token)
  })

  test('stops before an event that fails, names it, and goes on after it when it is told to', async () => {
    const scheduler = await open.scheduler(['stumble'])
    await make('good', 'bad', 'next')
    await scheduler.start()
    await until(async () => (await open.status('stumble')).state === 'retrying')
    const { errorPosition, error, tries } = await open.status('stumble')
    const [bad] = await open.site.db.rows<{ position: number }>(
      `select position from log where data->>'path' = 'wh.bad'`,
    )
    await resetWorker(open.site.db, await open.worker('stumble'), errorPosition)
    await until(() => open.traces().includes('stumble wh.next'))
    await scheduler.stop()

    assert.equal([errorPosition, tries], [bad?.position, 1])
    assert.match(error ?? '', /not that one/)
    assert.ok(open.traces().includes('stumble wh.early'))
    assert.not.ok(open.traces().includes('stumble wh.bad'))
  })

  test('stops when the log has gone back, and does not skip', async () => {
    await open.site.db.rows(
      `update checkpoints set epoch = gen_random_uuid() where name = 'follow'`,
    )
    const scheduler = await open.scheduler(['follow'])
    await scheduler.start()
    await until(async () => (await open.status('follow')).state === 'failed')
    await scheduler.stop()

    assert.match((await open.status('follow')).error ?? '', /restored or went back/)
  })

  test('begins anew with all others when everything is set up afresh', async () => {
    await open.site.db.rows(
      `insert into checkpoints (kind, name, version, state, epoch, position)
       select 'worker', 'of-old', 1, 'failed', epoch, 0 from log_head`,
    )
    const workers = [await open.worker('follow'), await open.worker('count')]
    const before = await tokenOf('follow')
    await setUpWorkers(open.site.db, workers)
    await setUpWorkers(open.site.db, workers)
    const rows = await open.site.db.rows(
      `select name, state from checkpoints where kind = 'worker' order by name`,
    )

    assert.equal(
      rows.map(row => ({ ...(row as object) })),
      [
        { name: 'count', state: 'live' },
        { name: 'follow', state: 'live' },
      ],
    )
    assert.is((await open.status('follow')).lag, 0)
    assert.ok((await tokenOf('follow')) > before, 'who held a lease is out')
  })
})
