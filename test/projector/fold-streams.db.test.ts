import { SETTINGS_STREAM } from '../../src/content/events.ts'
import type { CopiedEvent } from '../../src/log/copy.ts'
import { openBulk } from '../../src/pg/bulk.ts'
import { one } from '../../src/pg/db.ts'
import { type EntityProjection, FOREVER } from '../../src/projector/define.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { foldStreams } from '../../src/projector/fold-streams.ts'
import { RowSink } from '../../src/projector/row-sink.ts'
import { keysInStream, loadTargets } from '../../src/projector/target.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE, type TestSite, testSite } from '../support/database.ts'

/** More than twice as many as are held of one stream. */
const EVENTS = 25_000
const KEYS = 3
const BATCH = 1_000

async function* changes(): AsyncIterable<CopiedEvent[]> {
  for (let from = 1; from <= EVENTS; from += BATCH) {
    yield Array.from({ length: BATCH }, (_, n) => changed(from + n))
  }
}

function changed(revision: number): CopiedEvent {
  const data = { key: `key${revision % KEYS}`, value: revision }
  return {
    ...{ position: revision, revision, version: 1, stream: SETTINGS_STREAM, note: null },
    ...{ eventId: SETTINGS_STREAM, type: 'SettingChanged', actor: 'root' },
    ...{ at: '2021-03-04T05:06:07.089Z', data: JSON.stringify(data) },
  }
}

suite('a stream too long to be held', test => {
  let open: TestSite
  test.before(async () => {
    open = await testSite()
  })
  test.after(() => open.close())

  test('has the rows that it would have if it were', async () => {
    const all = await discoverProjections()
    const projections = all.filter(({ name }) => name === 'settings') as EntityProjection[]
    const bulk = await openBulk({ url: open.url, site: TEST_SITE })
    const targets = await loadTargets(bulk.db, projections, '')
    const sink = new RowSink(bulk, targets)
    const group = { projections, keys: keysInStream(targets), until: EVENTS }

    await foldStreams(changes(), [group], sink)
    await sink.flush()
    const { rows, wrong } = await one<{ rows: number; wrong: number }>(
      bulk.db,
      `select count(*) as rows, count(*) filter (where value::text <> since::text or from_position <> since
         or until_position <> case when since > ${EVENTS - KEYS} then ${FOREVER} else since + ${KEYS} end) as wrong from settings`,
    )
    await bulk.close()

    assert.equal([rows, wrong], [EVENTS, 0])
  })
})
