import { Rights } from '../../src/access/rights.ts'
import { readHead } from '../../src/log/read.ts'
import { openBulk } from '../../src/pg/bulk.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { grant } from '../support/users.ts'

suite('rights that are kept in memory', test => {
  let open: TestSite
  test.before(async () => {
    open = await testSite()
    await grant(open.site, 'nobody', ['view'], 'wh')
  })
  test.after(() => open.close())

  test('are those of the rows again a minute after these were mended, though nothing was appended', async () => {
    let now = 1_000_000
    const rights = new Rights(() => now)
    const { db } = open.site
    const { rightsPosition } = await readHead(db)
    const may = async () => (await rights.viewer(db, rightsPosition, null)).may('view', 'wh.secret')
    const bulk = await openBulk({ url: open.url, site: TEST_SITE })
    const write = (pattern: string) => bulk.db.rows('update grants set pattern = $1', [pattern])

    await write('*')
    const whenDamaged = await may()
    await write('wh')
    const atOnce = await may()
    now += 60_001
    const later = await may()
    await bulk.close()

    assert.equal([whenDamaged, atOnce, later], [true, true, false])
  })
})
