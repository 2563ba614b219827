import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { isRm3Error } from '../../src/errors.ts'
import { discoverWorkers, workerNamed } from '../../src/jobs/discover.ts'
import { Runner } from '../../src/jobs/runner.ts'
import { Scheduler } from '../../src/jobs/scheduler.ts'
import { assert, rejection, suite } from '../harness.ts'
import { page } from '../http/support.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { pluginSite } from '../support/plugin-site.ts'
import { until } from '../support/until.ts'

suite('workers of plugins', test => {
  let open: TestSite
  test.before(async () => {
    open = await testSite()
  })
  test.after(() => open.close())

  test('are found in their package, and do their work through the commands', async () => {
    const { folder, remove } = pluginSite()
    const found = workerNamed(await discoverWorkers(folder), 'name-newest')
    const said: string[] = []
    const say = (line: string) => void said.push(line)
    const { url } = open
    const folders = { publicBlobsFolder: `${folder}/a`, privateBlobsFolder: `${folder}/b` }
    const runner = new Runner({ url, site: TEST_SITE, ...folders }, say)
    const scheduler = new Scheduler({
      ...{ db: open.site.db, workers: [found], runner, owner: 'me', say },
      ...{ wakeups: open.wakeups, pollMs: 50 },
    })
    await scheduler.start()
    for (const name of ['one', 'two']) {
      await change(open.site, AS_ROOT, it =>
        createPage(it, { path: `wh.${name}`, document: page(name) }),
      )
    }
    await until(() => said.includes('name-newest: the newest page is "two"'))
    await scheduler.stop()
    remove()
    const [made] = await open.site.db.rows<{ abstract: string; author: string }>(
      `select summary->>'abstract' as abstract, author from pages where path = 'wh.newest'`,
    )

    assert.is(found.plugin, 'rm3-plugin-sample')
    assert.equal({ ...made }, { abstract: 'two', author: 'system' })
  }, 60_000)

  test('are refused when they are none, or their schedule cannot be understood', async () => {
    const complaint = async (members: string) => {
      const site = pluginSite({ workers: 'own' })
      site.write('own/mine.js', `export default { name: 'mine', ${members} }`)
      const thrown = await rejection(discoverWorkers(site.folder))
      site.remove()
      assert.ok(isRm3Error(thrown, 'CONFIG_INVALID'))
      return String(thrown)
    }
    const run = 'run: async () => {}'

    for (const none of [
      '',
      run,
      `subscription: { on: [] }, ${run}`,
      `schedule: { every: '1h' }, run: 5`,
    ]) {
      assert.match(await complaint(none), /mine\.js is not a worker/, none)
    }
    for (const schedule of [`{ every: 'hour' }`, `{ cron: '* * *' }`, `{ at: 'tomorrow' }`, `{}`]) {
      assert.match(await complaint(`schedule: ${schedule}, ${run}`), /its schedule is/, schedule)
    }
  })
})
