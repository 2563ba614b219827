import { openBulk } from '../../src/pg/bulk.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { findScrub, scrubSlice } from '../../src/projector/scrub.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { fillSite } from './damage-runs.ts'

suite('the scrub', test => {
  let open: TestSite
  test.before(async () => {
    open = await testSite()
    await fillSite(open, 7)
  })
  test.after(() => open.close())

  test('compares what is due, keeps what it finds, and begins again after a round', async () => {
    const options = { url: open.url, site: TEST_SITE, projections: await discoverProjections() }
    const { db, close } = await openBulk(options)
    const first = await scrubSlice(options)
    const early = await scrubSlice(options)
    await db.script(`update page_history set title = title || ' altered' where since = 1;
      update scrubs set round_started = now() - interval '8 days'`)
    const second = await scrubSlice(options)
    const status = await findScrub(db)
    await close()

    assert.equal([first.differences, first.roundDone], [0, true])
    assert.equal([early.events, early.roundDone], [0, false])
    assert.is(second.roundDone, true)
    assert.ok(second.differences > 0)
    assert.is(status?.lastRound?.differences, second.differences)
    assert.is(status?.lastRound?.findings[0]?.table, 'page_history')
    assert.is(status?.differences, 0)
  })
})
