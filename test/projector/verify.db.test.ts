import { change } from '../../src/commands/change.ts'
import { setSetting } from '../../src/commands/rights.ts'
import { openBulk } from '../../src/pg/bulk.ts'
import { type Db, one } from '../../src/pg/db.ts'
import { nameTables, type Projection, tablesOf } from '../../src/projector/define.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { rebuildProjections } from '../../src/projector/rebuild.ts'
import { renamingTables } from '../../src/projector/rename-tables.ts'
import { repairFindings, verifyProjections } from '../../src/projector/verify.ts'
import { verifyStructure } from '../../src/projector/verify-structure.ts'
import { assert, suite } from '../harness.ts'
import { typesLeftOut } from '../support/damage.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { damageRuns, fillSite } from './damage-runs.ts'

const RUNS = 60
const RUNS_DEADLINE_MS = 400_000

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
    const damaged = await unfold(db)
    await db.script(`update settings set value = '"altered"'`)

    const { findings } = await verifyProjections(database(), { projections, threads: 0 })
    await damaged.mend()
    const after = await verifyProjections(database(), { projections, threads: 0 })
    await repairFindings(database(), { projections, threads: 0 }, after)
    await close()

    const [log, ...rest] = findings
    assert.equal(
      [log?.problem, log?.problem === 'unfoldable' && [log.stream, log.position]],
      ['unfoldable', [damaged.stream, damaged.position]],
    )
    assert.ok(rest.length > 0)
    assert.ok(rest.every(({ table }) => table === 'settings'))
    assert.equal(after.findings, rest)
  })

  test('mends beside events that cannot be folded what takes no rebuild, and tells the rest', async () => {
    const projections = await discoverProjections()
    const options = { projections, threads: 0 }
    const { db, close } = await openBulk(database())
    const damaged = await unfold(db)
    await db.script(`update settings set value = '"altered"'; drop table tags`)

    const found = await verifyProjections(database(), options)
    const repaired = await repairFindings(database(), options, found)
    const left = await verifyProjections(database(), options)
    await damaged.mend()
    const mended = await repairFindings(database(), options, left)
    const after = await verifyProjections(database(), options)
    await close()

    assert.equal(repaired, { streams: 1, rebuilt: [], unrepaired: ['tags'] })
    assert.equal(left.findings.map(({ table }) => table).sort(), ['log', 'tags'])
    assert.equal(mended.unrepaired, ['tags'])
    assert.equal(
      after.findings.map(({ table }) => table),
      ['tags'],
    )
    await repairFindings(database(), options, after)
  })

  test('takes tables that are being swapped for no damage', async () => {
    const projections = await discoverProjections()
    const swapper = await openBulk(database())
    const { db, close } = await openBulk(database())
    const some = projections.filter(({ name }) => name === 'accounts' || name === 'tags')
    for (const projection of some) {
      await swapper.db.script(nameTables(projection, projection.sql, '__other'))
    }

    const looking = structureAgain(db, projections)
    let isOver = false
    const swapping = swapAgain(swapper.db, some.flatMap(tablesOf), () => isOver)
    const findings = await looking.finally(() => {
      isOver = true
    })
    await swapping
    for (const table of some.flatMap(tablesOf)) await db.script(`drop table ${table}__other`)
    await Promise.all([swapper.close(), close()])

    assert.equal(findings, [])
  }, 120_000)

  test('counts no rows of streams that cannot be folded', async () => {
    const projections = await discoverProjections()
    const { db, close } = await openBulk(database())
    const damaged = await unfold(db)
    await db.rows(EXTRA_TAGS, [damaged.stream])

    const { findings, unnamed } = await verifyProjections(database(), { projections, threads: 0 })
    await damaged.mend()
    await db.script(`delete from tags where tag like 'extra%'`)
    await close()

    assert.equal([findings.length, unnamed], [1, 0])
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

  test('is tried with damage to columns of every type that projections have', async () => {
    const { db, close } = await openBulk(database())

    const left = await typesLeftOut(db, await discoverProjections())
    await close()

    assert.equal(left, [])
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

const EXTRA_TAGS = `insert into tags select $1::uuid, 'extra' || n, 'about', 'x', 'tag', 1, 1, 9007199254740991 from generate_series(1, 1500) n`

const LOOKS = 40

async function structureAgain(db: Db, projections: readonly Projection[]) {
  const findings = []
  for (let n = 0; n < LOOKS; n++) findings.push(...(await verifyStructure(db, projections)))
  return findings
}

/** Exchanges tables with others that are the same, as the end of a rebuild does; in the end they are what they were. */
async function swapAgain(db: Db, tables: readonly string[], isOver: () => boolean): Promise<void> {
  for (let swaps = 0; swaps % 2 === 1 || !isOver(); swaps++) {
    await db.transaction(async inside => {
      for (const [from, to] of [
        ['', '__aside'],
        ['__other', ''],
        ['__aside', '__other'],
      ] as const) {
        await inside.script((await renamingTables(inside, tables, { from, to })).script)
      }
    })
  }
}

/** Makes an event one that cannot be folded, as only a superuser can. */
async function unfold(
  db: Db,
): Promise<{ stream: string; position: number; mend(): Promise<void> }> {
  await db.script('alter table log disable trigger all')
  const { stream, position, data } = await one<{ stream: string; position: number; data: string }>(
    db,
    `select stream, position, data::text as data from log where type = 'PageRevised' order by position limit 1`,
  )
  const write = async (value: string) => {
    await db.rows('update log set data = $2::json where position = $1::bigint', [position, value])
  }
  await write('{"patch":[{"op":"remove","path":"/nowhere"}]}')
  return { stream, position, mend: () => write(data) }
}
