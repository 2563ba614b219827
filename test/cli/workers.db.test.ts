import type { ChildProcess } from 'node:child_process'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { schedulePublish } from '../../src/commands/schedules.ts'
import type { WorkerStatus } from '../../src/jobs/checkpoints.ts'
import { assert, suite } from '../harness.ts'
import { page } from '../http/support.ts'
import { AS_ROOT } from '../support/database.ts'
import { until } from '../support/until.ts'
import { type WorkerSite, workerSite } from '../support/worker-site.ts'
import { ended, openShell, type Shell } from './run.ts'

const WORKERS = {
  once: `schedule: { every: '1h' }, run: async () => { trace('once') }`,
  hold: `schedule: { every: '1h' }, run: async () => {
    const first = !traced().includes('hold'); trace('hold'); if (first) await never; trace('held') }`,
  stay: `schedule: { every: '1h' }, run: async () => { trace('stay'); for (;;) {} }`,
  post: `subscription: { on: ['PageCreated'], batchMax: 1, from: 'start' }, run: async ({ events: [event] }) => {
    const first = !traced().includes(event.data.path); trace(event.data.path); if (first && event.data.path === 'wh.b') await never }`,
}
/** What it takes a process to notice that another has died: the time of a lease, and some to look. */
const SUCCESSION_MS = 40_000

suite('rm3wf', test => {
  let open: WorkerSite
  let shell: Shell
  test.before(async () => {
    open = await workerSite(WORKERS)
    shell = openShell(open.url, open.folder)
  })
  test.after(async () => {
    shell.close()
    await open.close()
  })
  const traces = (line: string) => open.traces().filter(trace => trace === line).length
  const start = async () => {
    const child = shell.start('rm3wf', [])
    await told(child, /Ctrl-C stops them/)
    return child
  }

  test('runs what is due once in two processes, its own workers and those of the site', async () => {
    const children = await Promise.all([start(), start()])
    await open.makeDue('once')
    await open.makeDue('clean-up')
    await until(() => traces('once') === 1)
    await until(async () => (await open.status('clean-up')).lastRun !== null)
    const draft = { path: 'wh.plan', document: page('planned'), draft: true }
    await change(open.site, AS_ROOT, it => createPage(it, draft))
    const at = new Date(Date.now() + 1_500).toISOString()
    await change(open.site, AS_ROOT, it => schedulePublish(it, 'wh.plan', { revision: 1, at }))
    await until(async () => (await idAt(open, 'wh.plan')) !== null)
    const codes = await Promise.all(children.map(stop))

    assert.equal(codes, [0, 0])
    assert.is(traces('once'), 1)
    assert.equal((await open.status('publish-scheduled')).lastRun?.report, {
      ...{ published: 1, ended: 0, absent: 0 },
    })
    const published = await open.site.db.rows(`select from log where type = 'PagePublished'`)
    assert.is(published.length, 1)
  }, 60_000)

  test('takes over what another process left that was killed in the middle, and gives every event again that was not done', async () => {
    const first = await start()
    await open.makeDue('hold')
    await until(() => traces('hold') === 1)
    for (const name of ['a', 'b', 'c']) {
      await change(open.site, AS_ROOT, it =>
        createPage(it, { path: `wh.${name}`, document: page(name) }),
      )
    }
    await until(() => traces('wh.b') === 1)
    const gone = ended(first)
    first.kill('SIGKILL')
    await gone
    const second = await start()
    await until(() => traces('held') === 1, SUCCESSION_MS)
    await until(() => traces('wh.c') === 1, SUCCESSION_MS)
    await until(async () => (await open.status('post')).lag === 0)
    await stop(second)

    assert.equal(['wh.a', 'wh.b', 'wh.c'].map(traces), [1, 2, 1])
    assert.is(traces('hold'), 2)
    assert.equal(
      [(await open.status('hold')).state, (await open.status('hold')).tries],
      ['waiting', 0],
    )
  }, 120_000)

  test('ends a worker that hangs, and has its lease free, in half a minute', async () => {
    const child = await start()
    await open.makeDue('stay')
    await until(() => traces('stay') === 1)
    const began = Date.now()
    await until(async () => (await open.status('stay')).state === 'retrying', 30_000)
    const tookMs = Date.now() - began
    await stop(child)

    assert.ok(tookMs < 30_000, `${tookMs} ms`)
    assert.match((await open.status('stay')).error ?? '', /did not answer/)
  }, 60_000)

  test('ends in time when a worker does not, and gives back what it had', async () => {
    const child = await start()
    await open.makeDue('stay')
    await until(() => traces('stay') === 2)
    const began = Date.now()
    const code = await stop(child)
    const { running, tries } = await open.status('stay')

    assert.is(code, 0)
    assert.ok(Date.now() - began < 12_000)
    assert.equal([running, tries], [null, 1])
  }, 60_000)

  test('refuses to run where workers are forbidden', async () => {
    const { code, stderr } = await shell.run('rm3wf', [], { env: { RM3_WF_DISABLE: 'true' } })

    assert.is(code, 2)
    assert.match(stderr, /RM3_WF_DISABLE/)
  })
})

suite('rm3admin worker', test => {
  let open: WorkerSite
  let shell: Shell
  test.before(async () => {
    open = await workerSite(WORKERS)
    shell = openShell(open.url, open.folder)
  })
  test.after(async () => {
    shell.close()
    await open.close()
  })
  const admin = (...words: string[]) => shell.run('rm3admin', words)

  test('list names all, with what makes them run', async () => {
    const { items } = await shell.json<{ items: WorkerStatus[] }>('rm3admin', ['worker', 'list'])
    const { stdout } = await admin('worker', 'list')

    const names = items.map(({ name }) => name)
    for (const name of ['clean-up', 'collect-blobs', 'publish-scheduled', 'once', 'post']) {
      assert.ok(names.includes(name), name)
    }
    assert.match(stdout, /once +every 1h: never ran, due 2/)
    assert.match(stdout, /backup +as scheduled: never ran, nothing is scheduled/)
    assert.match(stdout, /post +on PageCreated: never ran, 0 positions behind/)
  }, 60_000)

  test('run runs one now, and fails with it', async () => {
    const ran = await admin('worker', 'run', 'once')
    const dry = await shell.json('rm3admin', ['worker', 'run', 'collect-blobs', '--dry-run'])
    const none = await admin('worker', 'run', 'nothing')
    const cannot = await admin('worker', 'run', 'once', '--dry-run')
    const drill = await admin('worker', 'run', 'restore-drill')

    assert.equal([ran.code, ran.stdout], [0, 'once is done.\n'])
    assert.equal(dry, {
      name: 'collect-blobs',
      dryRun: true,
      report: { looked: 0, removed: 0, bytes: 0, partials: 0 },
    })
    assert.is(drill.code, 1)
    assert.match(
      drill.stderr,
      /^rm3admin worker run: the worker "restore-drill" failed: .*\(WORKER_FAILED\)\n$/,
    )
    assert.is(none.code, 10)
    assert.match(none.stderr, /clean-up.*WORKER_NOT_FOUND/)
    assert.is(cannot.code, 2)
  }, 60_000)

  test('reset and createworkflow set up afresh, as often as one likes', async () => {
    await change(open.site, AS_ROOT, it => createPage(it, { path: 'wh', document: page('wh') }))
    const moved = await shell.json<WorkerStatus>('rm3admin', [
      'worker',
      'reset',
      'post',
      '--to',
      '1',
    ])
    const past = await admin('worker', 'reset', 'post', '--to', '99')
    const byTime = await admin('worker', 'reset', 'once', '--to', '1')
    await open.site.db.rows(
      `update checkpoints set state = 'failed', error = 'x' where name = 'once'`,
    )
    const all = await shell.json<{ workers: string[]; done: boolean }>('rm3admin', [
      'createworkflow',
    ])
    const again = await admin('createworkflow')
    const { state, error } = await open.status('once')

    assert.equal([moved.position, moved.lag], [1, 0])
    assert.equal([past.code, byTime.code], [2, 2])
    assert.ok(all.done && all.workers.includes('once'))
    assert.is(again.code, 0)
    assert.equal([state, error, (await open.status('post')).position], ['waiting', null, 0])
  }, 60_000)
})

async function stop(child: ChildProcess): Promise<number | null> {
  const end = ended(child)
  child.kill('SIGTERM')
  return (await end).code
}

function told(child: ChildProcess, awaited: RegExp): Promise<void> {
  let text = ''
  return new Promise((resolve, reject) => {
    const onData = (data: Buffer) => {
      text += data
      if (awaited.test(text)) resolve()
    }
    child.stdout?.on('data', onData)
    child.stderr?.on('data', onData)
    child.once('close', code => reject(new Error(`ended with ${code}: ${text}`)))
  })
}

async function idAt(open: WorkerSite, path: string): Promise<string | null> {
  const [row] = await open.site.db.rows<{ id: string }>(
    `select entity_id as id from pages where path = $1::text`,
    [path],
  )
  return row?.id ?? null
}
