import { change } from '../../src/commands/change.ts'
import { setSetting } from '../../src/commands/rights.ts'
import { openBulk } from '../../src/pg/bulk.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { rebuildProjections } from '../../src/projector/rebuild.ts'
import { repairFindings, verifyProjections } from '../../src/projector/verify.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { damageRuns, fillSite } from './damage-runs.ts'

const RUNS = 60
const RUNS_DEADLINE_MS = 150_000

suite('verifying projections', test => {
  let open: TestSite
  const database = () => ({ url: open.url, site: TEST_SITE })
  test.before(async () => {
    open = await testSite()
    await fillSite(open, 5)
  })
  test.after(() => open.close())

  test('finds nothing wrong where nothing is', async () => {
    const projections = await discoverProjections()

    const verified = await verifyProjections(database(), { projections, threads: 0 })

    assert.equal(verified.findings, [])
    assert.equal(verified.skipped, [])
    assert.ok(verified.events > 0)
  })

  test('names the row, the column and both values', async () => {
    const projections = await discoverProjections()
    const { db, close } = await openBulk(database())
    const [page] = await db.rows<{ id: string; proto: string }>(
      `update pages set proto = 'altered' where entity_id = (select min(entity_id::text)::uuid from pages) returning entity_id as id, (select h.proto from page_history h where h.entity_id = pages.entity_id order by since desc limit 1)`,
    )

    const { findings } = await verifyProjections(database(), { projections, threads: 0 })
    await db.rows('update pages set proto = $2::text where entity_id = $1::uuid', [
      page?.id,
      page?.proto,
    ])
    await close()

    const columns = [{ column: 'proto', expected: page?.proto, found: 'altered' }]
    const place = { projection: 'pages', table: 'pages', problem: 'differs', stream: page?.id }
    assert.equal(findings, [{ ...place, key: { entity_id: page?.id }, columns }])
  })

  test('names events that cannot be folded, and still looks at all other streams', async () => {
    const projections = await discoverProjections()
    const { db, close } = await openBulk(database())
    await db.script('alter table log disable trigger all')
    const [damaged] = await db.rows<{ stream: string; position: number; data: string }>(
      `select stream, position, data::text as data from log where type = 'PageRevised' order by position limit 1`,
    )
    await db.rows(
      `update log set data = '{"patch":[{"op":"remove","path":"/nowhere"}]}' where position = $1::bigint`,
      [damaged?.position],
    )
    await db.script(`update settings set value = '"altered"'`)

    const { findings } = await verifyProjections(database(), { projections, threads: 0 })
    await db.rows('update log set data = $2::json where position = $1::bigint', [
      damaged?.position,
      damaged?.data,
    ])
    const after = await verifyProjections(database(), { projections, threads: 0 })
    await repairFindings(database(), { projections, threads: 0 }, after)
    await close()

    const [log, ...rest] = findings
    assert.equal(
      [log?.problem, log?.problem === 'unfoldable' && [log.stream, log.position]],
      ['unfoldable', [damaged?.stream, damaged?.position]],
    )
    assert.ok(rest.length > 0)
    assert.ok(rest.every(({ table }) => table === 'settings'))
    assert.equal(after.findings, rest)
  })

  test('takes another language of the search for no damage', async () => {
    const projections = await discoverProjections()
    await change(open.site, AS_ROOT, it => setSetting(it, 'search.language', 'german'))

    const { findings } = await verifyProjections(database(), { projections, threads: 0 })
    const search = projections.filter(({ name }) => name === 'search')
    const rebuilt = await rebuildProjections(database(), {
      ...{ projections: search, all: projections, threads: 0 },
    })
    const after = await verifyProjections(database(), { projections, threads: 0 })

    assert.equal(findings, [])
    assert.equal(rebuilt.drift, [])
    assert.equal(after.findings, [])
  })

  test(
    'finds and repairs whatever a hand in the database does',
    async () => {
      const seeds = Array.from({ length: RUNS }, (_, n) => n + 1)

      await damageRuns(database(), await discoverProjections(), seeds)
    },
    RUNS_DEADLINE_MS,
  )
})
