import { isRm3Error } from '../../src/errors.ts'
import { type RunNow, runNow } from '../../src/jobs/run-now.ts'
import { readHead } from '../../src/log/read.ts'
import { assert, rejection, suite } from '../harness.ts'
import { until } from '../support/until.ts'
import { type WorkerSite, workerSite } from '../support/worker-site.ts'

const WORKERS = {
  count: `schedule: { every: '1h' }, dryRun: true,
    run: async ({ dryRun }) => { trace(dryRun ? 'dry' : 'count'); return { counted: 1 } }`,
  plain: `schedule: { every: '1h' }, run: async () => { trace('plain') }`,
  wait: `schedule: { every: '1h' }, run: async ({ signal }) => {
    trace('wait'); await new Promise(end => signal.addEventListener('abort', end)); signal.throwIfAborted() }`,
  change: `schedule: { every: '1h' }, run: async ({ commands }) => {
    const document = { proto: 'base', hidden: false, summary: { title: 'made', abstract: '' }, data: {}, tags: {} }
    const made = await commands.createPage({ path: 'wh.made', document }, { key: 'make', note: 'by itself' })
    const revised = await commands.revisePage('wh.made', it => ({ ...it, hidden: true }), { key: 'hide' })
    return { made, revised } }`,
  write: `schedule: { every: '1h' }, run: async ({ db }) => { await db.rows('delete from log') }`,
}

suite('a worker that is run by hand', test => {
  let open: WorkerSite
  test.before(async () => {
    open = await workerSite(WORKERS)
  })
  test.after(() => open.close())
  const run = async (name: string, more: Partial<RunNow> = {}) =>
    runNow({
      ...{ db: open.site.db, found: await open.worker(name), runner: open.runner() },
      ...{ owner: 'me', say: () => {}, dryRun: false, ...more },
    })

  test('is due when it was before, and works again after it had failed', async () => {
    await run('count')
    const { due } = await open.status('count')
    await open.site.db.rows(
      `update checkpoints set state = 'failed', tries = 5, error = 'x' where name = 'count'`,
    )
    const ended = await run('count')
    const after = await open.status('count')

    assert.is(ended.type, 'done')
    assert.equal([after.state, after.error, after.tries, after.due], ['waiting', null, 0, due])
  })

  test('changes nothing in a dry run, which not all can', async () => {
    const before = await open.status('count')
    const ended = await run('count', { dryRun: true })
    const { due, state, tries, lastRun } = await open.status('count')
    const refused = await rejection(run('plain', { dryRun: true }))

    assert.equal(ended, { type: 'done', report: { counted: 1 } })
    assert.equal([due, state, tries], [before.due, before.state, before.tries])
    assert.is(lastRun?.ended, before.lastRun?.ended)
    assert.ok(open.traces().includes('dry'))
    assert.ok(isRm3Error(refused, 'USAGE'))
  })

  test('is refused while it runs', async () => {
    const runner = open.runner()
    const going = run('wait', { runner, owner: 'the first' })
    await until(() => open.traces().includes('wait'))
    const refused = await rejection(run('wait'))
    await runner.stop()

    assert.ok(isRm3Error(refused, 'WORKER_BUSY'))
    assert.match(String(refused), /the first/)
    assert.is((await going).type, 'stopped')
  })

  test('makes changes through the commands, each once, and cannot touch the log', async () => {
    const first = await run('change')
    const { position } = await readHead(open.site.db)
    const again = await run('change')
    const [made] = await open.site.db.rows(
      `select type, actor, note, meta->>'door' as door, meta->>'worker' as worker from log order by position`,
    )
    const written = await run('write')

    assert.equal(first, { type: 'done', report: { made: true, revised: true } })
    assert.equal(again, { type: 'done', report: { made: false, revised: false } })
    assert.is((await readHead(open.site.db)).position, position)
    assert.equal(
      { ...(made as object) },
      { type: 'PageCreated', actor: 'system', note: 'by itself', door: 'worker', worker: 'change' },
    )
    assert.is(written.type, 'failed')
  })
})
