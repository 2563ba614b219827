import type { Scrubbed } from '../../src/jobs/define.ts'
import { discoverWorkers, workerNamed } from '../../src/jobs/discover.ts'
import { runNow } from '../../src/jobs/run-now.ts'
import scrub from '../../workers/scrub.ts'
import { assert, suite } from '../harness.ts'
import { runContext } from '../support/run-context.ts'
import { type WorkerSite, workerSite } from '../support/worker-site.ts'

/** The site's own package has to have one. */
const IDLE = `schedule: { at: '2999-01-01T00:00:00.000Z' }, run: async () => {}`

suite('scrub', test => {
  let open: WorkerSite
  test.before(async () => {
    open = await workerSite({ idle: IDLE })
  })
  test.after(() => open.close())

  test('says when something differs from the log', async () => {
    const said: string[] = []
    const found: Scrubbed = {
      ...{ events: 7, differences: 2, roundDone: false, roundStarted: '2026-01-01T00:00:00.000Z' },
    }
    const context = runContext(open, { say: line => said.push(line) })
    const report = await scrub.run({
      ...context,
      commands: { ...context.commands, scrub: async () => found },
    })

    assert.equal(report, found)
    assert.match(said.join(), /^2 differences from the log/)
  })

  test('compares a part in its thread', async () => {
    const found = workerNamed(await discoverWorkers(), 'scrub')
    const ended = await runNow({
      ...{
        db: open.site.db,
        found,
        runner: open.runner(),
        owner: 'me',
        say: () => {},
        dryRun: false,
      },
    })

    assert.is(ended.type, 'done')
  })
})
