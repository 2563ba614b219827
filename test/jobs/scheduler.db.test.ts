import { resetWorker } from '../../src/jobs/checkpoints.ts'
import { assert, suite } from '../harness.ts'
import { until } from '../support/until.ts'
import { type WorkerSite, workerSite } from '../support/worker-site.ts'

const WORKERS = {
  count: `schedule: { every: '1h' }, run: async () => { trace('count'); return { counted: 1 } }`,
  spin: `schedule: { every: '1h' }, run: async () => { trace('spin'); for (;;) {} }`,
  linger: `schedule: { every: '1h' }, timeoutMs: 3_000, run: async () => { trace('linger'); await never }`,
  heed: `schedule: { every: '1h' }, timeoutMs: 3_000, run: async ({ signal }) => {
    await new Promise(end => signal.addEventListener('abort', end)); trace('heeded'); signal.throwIfAborted() }`,
  wait: `schedule: { every: '1h' }, run: async ({ signal, progress }) => {
    progress(3, 7); await new Promise(end => signal.addEventListener('abort', end)); signal.throwIfAborted() }`,
  break: `schedule: { every: '1h' }, triesMax: 3, run: async () => { trace('break'); throw new Error('it is broken') }`,
  vague: `schedule: { at: async () => { throw new Error('who knows') } }, run: async () => {}`,
  exit: `schedule: { every: '1h' }, run: async () => { process.exit(3) }`,
  fill: `schedule: { every: '1h' }, run: async () => { const all = []; for (;;) all.push(new Array(1e6).fill(all.length / 2)) }`,
}

suite('a worker that is due', test => {
  let open: WorkerSite
  test.before(async () => {
    open = await workerSite(WORKERS)
  })
  test.after(() => open.close())
  const lines = (line: string) => open.traces().filter(trace => trace === line).length

  test('runs once, whatever number of schedulers look, and missed times are made up for by one run', async () => {
    const schedulers = await Promise.all([1, 2, 3, 4].map(() => open.scheduler(['count'])))
    for (const scheduler of schedulers) await scheduler.start()
    await open.site.db.rows(
      `update checkpoints set due = now() - interval '30 days' where name = 'count'`,
    )
    await until(async () => (await open.status('count')).lastRun !== null)
    await Promise.all(schedulers.map(scheduler => scheduler.stop()))
    const { lastRun, due, tries, state } = await open.status('count')

    assert.is(lines('count'), 1)
    assert.equal(lastRun?.report, { counted: 1 })
    assert.equal([tries, state], [0, 'waiting'])
    assert.ok(Date.parse(due ?? '') > Date.now())
  })

  test('is shown while it runs, and given back when its process is told to stop', async () => {
    const scheduler = await open.scheduler(['wait'], { renewMs: 50 })
    await scheduler.start()
    await open.makeDue('wait')
    await until(async () => (await open.status('wait')).running?.progress === '3 of 7')
    const { state, running } = await open.status('wait')
    const began = Date.now()
    await scheduler.stop()
    const after = await open.status('wait')

    assert.is(state, 'running')
    assert.match(running?.owner ?? '', /^scheduler/)
    assert.ok(Date.now() - began < 5_000)
    assert.equal([after.state, after.tries, after.running], ['waiting', 0, null])
    assert.ok(Date.parse(after.due ?? '') < Date.now(), 'it is due still')
  })

  test('is ended when it loops for ever, and its lease is free', async () => {
    const scheduler = await open.scheduler(['spin'], { silentMs: 4_000 })
    await scheduler.start()
    await open.makeDue('spin')
    await until(async () => (await open.status('spin')).state === 'retrying')
    const { error, running, tries, retryAt } = await open.status('spin')
    await scheduler.stop()

    assert.match(error ?? '', /did not answer/)
    assert.equal([running, tries, lines('spin')], [null, 1, 1])
    assert.ok(Date.parse(retryAt ?? '') > Date.now())
  })

  test('is ended when it takes longer than it may, whether it heeds the signal or not', async () => {
    const scheduler = await open.scheduler(['linger', 'heed'], { graceMs: 300 })
    await scheduler.start()
    await open.makeDue('linger')
    await open.makeDue('heed')
    await until(async () => (await open.status('linger')).state === 'retrying')
    await until(async () => (await open.status('heed')).state === 'retrying')
    await scheduler.stop()

    for (const name of ['linger', 'heed']) {
      assert.match((await open.status(name)).error ?? '', /longer than 3 s/)
    }
    assert.equal([lines('heeded'), lines('linger')], [1, 1])
  })

  test('is tried again, after so many tries no more, and again when it is reset', async () => {
    const scheduler = await open.scheduler(['break'])
    await scheduler.start()
    const waits: number[] = []
    for (const tries of [1, 2, 3]) {
      await open.makeDue('break')
      await until(async () => {
        const status = await open.status('break')
        return status.tries === tries && status.running === null
      })
      const { retryAt, lastRun } = await open.status('break')
      if (retryAt !== null) waits.push(Date.parse(retryAt) - Date.parse(lastRun?.ended ?? ''))
    }
    const failed = await open.status('break')
    await open.makeDue('break')
    await resetWorker(open.site.db, await open.worker('break'))
    const reset = await open.status('break')
    await scheduler.stop()

    assert.equal(waits, [10_000, 40_000])
    assert.is(failed.state, 'failed')
    assert.match(failed.error ?? '', /it is broken/)
    assert.is(lines('break'), 3)
    assert.equal([reset.state, reset.tries, reset.error], ['waiting', 0, null])
    assert.ok(open.said.some(line => /break failed \(3 of 3 tries; it is not tried/.test(line)))
  })

  test('fails alone when it exits, or fills the memory', async () => {
    const scheduler = await open.scheduler(['exit', 'fill'])
    await scheduler.start()
    await open.makeDue('exit')
    await open.makeDue('fill')
    await until(async () => (await open.status('exit')).state === 'retrying')
    await until(async () => (await open.status('fill')).state === 'retrying', 40_000)
    await scheduler.stop()

    assert.match((await open.status('exit')).error ?? '', /exited with code 3/)
    assert.match((await open.status('fill')).error ?? '', /memory/)
  }, 60_000)

  test('does not keep the others from running when it cannot say when it is due', async () => {
    const scheduler = await open.scheduler(['vague', 'count'])
    await scheduler.start()
    const before = lines('count')
    await open.makeDue('count')
    await until(() => lines('count') === before + 1)
    await until(async () => (await open.status('vague')).state === 'retrying')
    await scheduler.stop()

    assert.match((await open.status('vague')).error ?? '', /when it is due: who knows/)
  })

  test('of a process that died is run by another, and given up after so many deaths', async () => {
    const dieAfter = (tries: number) =>
      open.site.db.rows(
        `update checkpoints set state = 'live', error = null, retry_at = null, due = now() - interval '1 second',
          lease_token = lease_token + 1, lease_owner = 'dead', lease_until = now() - interval '1 second', tries = $1::int
        where name = 'count'`,
        [tries],
      )
    const scheduler = await open.scheduler(['count'])
    await scheduler.start()
    const before = lines('count')
    await dieAfter(1)
    await until(() => lines('count') === before + 1)
    await until(async () => (await open.status('count')).state === 'waiting')
    await dieAfter(5)
    await until(async () => (await open.status('count')).state === 'failed')
    await scheduler.stop()

    assert.match((await open.status('count')).error ?? '', /process ended while it ran, 5 times/)
    assert.is(lines('count'), before + 1)
  })

  test('is stopped when another has taken over, and does not write how it went', async () => {
    const scheduler = await open.scheduler(['wait'], { renewMs: 50 })
    await resetWorker(open.site.db, await open.worker('wait'))
    await scheduler.start()
    await open.makeDue('wait')
    await until(async () => (await open.status('wait')).running !== null)
    await resetWorker(open.site.db, await open.worker('wait'))
    await until(() => open.said.some(line => /wait: another process/.test(line)))
    const { lastRun, tries, state } = await open.status('wait')
    await scheduler.stop()

    assert.equal([lastRun, tries, state], [null, 0, 'waiting'])
  })
})
