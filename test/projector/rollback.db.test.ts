import type { Rm3Error } from '../../src/errors.ts'
import { type Bulk, openBulk } from '../../src/pg/bulk.ts'
import { one } from '../../src/pg/db.ts'
import type { Projection } from '../../src/projector/define.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { rebuildProjections } from '../../src/projector/rebuild.ts'
import { listSwapped, rollbackProjections } from '../../src/projector/rollback.ts'
import { repairFindings, verifyProjections } from '../../src/projector/verify.ts'
import { assert, rejection, suite } from '../harness.ts'
import { TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { countingProjection, makePages } from '../support/following.ts'
import { contentOf, fillSite } from './damage-runs.ts'

const DEADLINE_MS = 60_000

suite('rolling a rebuild back', test => {
  let open: TestSite
  let bulk: Bulk
  let all: Projection[]
  const counting = countingProjection()
  const database = () => ({ url: open.url, site: TEST_SITE })
  const rebuild = (projections: readonly Projection[]) =>
    rebuildProjections(database(), { projections, all, threads: 0 })
  const rollBack = (projections: readonly Projection[]) =>
    rollbackProjections(database(), { projections, all })
  const verified = () => verifyProjections(database(), { projections: all, threads: 0 })
  /** What the ordered projection has, and what the log says. */
  const counts = () =>
    bulk.db.rows<{ counted: number; logged: number }>(
      `select c.count as counted, l.count::int as logged from counting c
       full join (select type, count(*) from log where position <= (select position from checkpoints where name = 'counting') group by type) l using (type)`,
    )
  test.before(async () => {
    open = await testSite()
    all = [...(await discoverProjections()), counting]
    await fillSite(open, 6)
    bulk = await openBulk(database())
  })
  test.after(async () => {
    await bulk.close()
    await open.close()
  })

  test('is refused before there is anything to go back to', async () => {
    const refused = (await rejection(rollBack([counting]))) as Rm3Error

    assert.is(refused.code, 'PROJECTION_STATE')
  })

  test('an ordered projection is rebuilt in the order of the log, and again where it was damaged', async () => {
    await rebuild([counting])
    const rows = await counts()
    await bulk.db.script('update counting set count = count + 1')
    const { findings } = await verified()
    await repairFindings(
      database(),
      { projections: all, threads: 0 },
      {
        findings,
        unnamed: 0,
      },
    )

    assert.ok(rows.length > 3)
    assert.ok(rows.every(({ counted, logged }) => counted === logged))
    assert.ok(findings.length > 0)
    assert.ok(findings.every(({ projection }) => projection === 'counting'))
    assert.equal((await verified()).findings, [])
  })

  test(
    'puts the old tables back with all that was written since, and takes them away again',
    async () => {
      await rebuild(all)
      await bulk.db.script(`update tags__old set object = object || ' from before'`)
      await makePages(open.site, 150, 'since')
      const swapped = await listSwapped(bulk.db)
      const back = await rollBack(all)
      const { count } = await one<{ count: number }>(
        bulk.db,
        `select count(*) as count from tags where object like '% from before'`,
      )
      const { findings } = await verified()
      await makePages(open.site, 20, 'later')
      await rollBack(all)

      assert.equal(swapped.sort(), all.map(({ name }) => name).sort())
      assert.equal(
        back.drift?.map(({ table }) => table),
        ['tags'],
      )
      assert.ok(count > 0)
      assert.is(findings.length, count, 'only what was altered before')
      assert.equal((await verified()).findings, [])
      assert.ok((await counts()).every(({ counted, logged }) => counted === logged))
    },
    DEADLINE_MS,
  )

  test(
    'needs the version that the tables are of',
    async () => {
      const before = await contentOf(bulk.db, all)
      const [tags] = all.filter(({ name }) => name === 'tags') as [Projection]
      const raised = { ...tags, version: tags.version + 1 }
      const newer = all.map(projection => (projection === tags ? raised : projection))
      await rebuildProjections(database(), { projections: [raised], all: newer, threads: 0 })

      const byNewer = await rejection(
        rollbackProjections(database(), { projections: [raised], all: newer }),
      )
      const byOlder = await rejection(rollBack(all.filter(({ name }) => name === 'pages')))
      await rollBack([tags])

      assert.match((byNewer as Rm3Error).message, /are of version 2, and this rm3 has version 3/)
      assert.match((byOlder as Rm3Error).message, /go back with it as well/)
      assert.equal(await contentOf(bulk.db, all), before)
      await makePages(open.site, 1, 'saved')
      assert.equal((await verified()).findings, [])
    },
    DEADLINE_MS,
  )
})
