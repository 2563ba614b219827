import fc from 'fast-check'
import { type Bulk, openBulk } from '../../src/pg/bulk.ts'
import { one } from '../../src/pg/db.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE, type TestSite, testSite } from '../support/database.ts'

/** Milliseconds between one event and the next: many at once, and years of nothing. */
const gap = fc.oneof(fc.constant(0), fc.nat(3), fc.nat(1_000), fc.nat(100_000_000_000))
const START = Date.parse('2020-01-01T00:00:00Z')

suite('the position of an instant', test => {
  let open: TestSite
  let bulk: Bulk
  test.before(async () => {
    open = await testSite()
    bulk = await openBulk({ url: open.url, site: TEST_SITE })
    await bulk.db.script(`set search_path to pg_temp, ${TEST_SITE};
      create temporary table log (position bigint primary key, recorded_at timestamptz not null);
      create temporary table log_head (position bigint not null, recorded_at timestamptz not null)`)
  })
  test.after(async () => {
    await bulk.close()
    await open.close()
  })

  test('is that of the last event until then, however the log grew', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(gap, { maxLength: 60 }), async gaps => {
        const times = gaps.map(
          (_, index) => START + gaps.slice(0, index + 1).reduce((sum, ms) => sum + ms, 0),
        )
        await fill(times)
        const asked = times.flatMap(ms => [ms - 1, ms, ms + 1])
        for (const ms of [START - 1, ...asked]) {
          const found = await one<{ position: number }>(
            bulk.db,
            'select position_at($1::timestamptz) as position',
            [new Date(ms).toISOString()],
          )
          assert.is(found.position, times.filter(time => time <= ms).length)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('is the same where the search may begin between two positions', async () => {
    const times = [0, 0, 5, 7, 7, 7, 90, 5_000, 5_001, 9_000].map(ms => START + ms)
    await fill(times)
    for (const ms of [START - 1, ...times.flatMap(ms => [ms, ms + 1])]) {
      const position = times.filter(time => time <= ms).length
      const rows = await bulk.db.rows<{ found: number }>(
        `select position_at($1::timestamptz, lowest, highest) as found from generate_series(0, $2::int) lowest
          cross join generate_series($2::int, $3::int) highest`,
        [new Date(ms).toISOString(), position, times.length - 1],
      )
      assert.equal(
        [...new Set(rows.map(({ found }) => found))].slice(0, 2),
        rows.length === 0 ? [] : [position],
      )
    }
  })

  test('is the first or the last for instants without end', async () => {
    await fill([START, START, START + 5])
    const { first, last } = await one<{ first: number; last: number }>(
      bulk.db,
      `select position_at('-infinity') as first, position_at('infinity') as last`,
    )

    assert.equal([first, last], [0, 3])
  })

  async function fill(times: readonly number[]): Promise<void> {
    await bulk.db.script('truncate log, log_head')
    await bulk.db.rows('insert into log select * from unnest($1::bigint[], $2::timestamptz[])', [
      times.map((_, index) => index + 1),
      times.map(ms => new Date(ms).toISOString()),
    ])
    await bulk.db.script(`insert into log_head
      select count(*), coalesce(max(recorded_at), '-infinity') from log`)
  }
})
