import fc from 'fast-check'
import { openBulk, type SiteDatabase } from '../../src/pg/bulk.ts'
import type { Db } from '../../src/pg/db.ts'
import { type Projection, tablesOf } from '../../src/projector/define.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { rebuildProjections } from '../../src/projector/rebuild.ts'
import { repairFindings, verifyProjections } from '../../src/projector/verify.ts'
import { append } from '../contract/projection.ts'
import { assert } from '../harness.ts'
import { anyLog } from '../support/any-log.ts'
import { damage } from '../support/damage.ts'
import { TEST_SITE, type TestSite } from '../support/database.ts'
import { randomOf } from '../torture/random.ts'

/** A history in which every table of ours gets rows, also those of projections that follow. */
export async function fillSite({ site, url }: TestSite, seed: number): Promise<void> {
  const [log] = fc.sample(anyLog(200), { seed, numRuns: 1 })
  await append(site, log?.events ?? [])
  const all = await discoverProjections()
  await rebuildProjections({ url, site: TEST_SITE }, { projections: all, all, threads: 0 })
}

/**
 * Damages a site again and again, and each time finds what was done and nothing else, and mends it.
 *
 * @param seeds one run each
 */
export async function damageRuns(
  database: SiteDatabase,
  projections: readonly Projection[],
  seeds: Iterable<number>,
): Promise<void> {
  const { db, close } = await openBulk(database)
  try {
    const options = { projections, threads: 0 }
    const whole = await contentOf(db, projections)
    for (const seed of seeds) {
      const { table, statement } = await damage(db, projections, randomOf(seed))
      const what = `seed ${seed}: ${statement}`
      const verified = await verifyProjections(database, options)
      assert.ok(verified.findings.length > 0, `not found: ${what}`)
      const wrong = verified.findings.filter(finding => finding.table !== table)
      assert.equal(wrong, [], `falsely reported: ${what}`)
      await repairFindings(database, options, verified)
      const after = await verifyProjections(database, options)
      assert.equal(after.findings, [], `not repaired: ${what}`)
      assert.equal(await contentOf(db, projections), whole, `repaired otherwise: ${what}`)
    }
  } finally {
    await close()
  }
}

/** Every row of every table, as text. */
export async function contentOf(db: Db, projections: readonly Projection[]): Promise<string[]> {
  const content: string[] = []
  for (const table of projections.flatMap(tablesOf)) {
    const rows = await db.rows<{ row: string }>(
      `select row_to_json(t)::text as row from ${table} t order by row_to_json(t)::text`,
    )
    content.push(...rows.map(({ row }) => `${table} ${row}`))
  }
  return content
}
