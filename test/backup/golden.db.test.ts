import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { restoreFolder } from '../../src/backup/folder/load.ts'
import { demandWhole } from '../../src/backup/folder/tell.ts'
import { readHead } from '../../src/log/read.ts'
import { PACKAGE_ROOT } from '../../src/package-root.ts'
import { openBulk } from '../../src/pg/bulk.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { assert, suite } from '../harness.ts'
import { loadInto, tempStores } from '../support/archives.ts'
import { TEST_SITE, testDatabase } from '../support/database.ts'

const KEPT = join(PACKAGE_ROOT, 'test/fixtures/backups')
/** Of all of them: a site with most kinds of events, of which something was erased. */
const POSITION = 63
const CHAIN = '627b0102bc2c3aede177f820ec3111f594e833ab6aecad910c8ee22940532322'

/** Written once by the version that made the format, and kept: whoever changes a format adds those of the new one, and these go on loading. */
suite('a backup of every version of the formats', test => {
  test('a folder of version 1.0 is whole, and loads', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rm3-golden-'))
    const dir = join(folder, 'site')
    const { url, drop } = await testDatabase()
    const stores = await tempStores()
    try {
      cpSync(join(KEPT, 'folder-1.0'), dir, { recursive: true })
      const proof = await demandWhole(dir)
      await restoreFolder(
        { url, site: TEST_SITE },
        { dir, proof, stores },
        { projections: await discoverProjections(), allowUnsafe: true },
      )
      assert.equal(await headOf(url), [POSITION, CHAIN])
    } finally {
      await drop()
      await stores.remove()
      rmSync(folder, { recursive: true })
    }
  }, 60_000)

  test('archives of version 1 load, one behind the other', async () => {
    const { url, drop } = await testDatabase()
    const stores = await tempStores()
    try {
      const archives = ['whole-1.rm3', 'rest-1.rm3'].map(name => readFileSync(join(KEPT, name)))
      await loadInto(url, archives, { stores })
      assert.equal(await headOf(url), [POSITION, CHAIN])
    } finally {
      await drop()
      await stores.remove()
    }
  }, 60_000)
})

async function headOf(url: string): Promise<[number, string]> {
  const { db, close } = await openBulk({ url, site: TEST_SITE })
  try {
    const { position, chain } = await readHead(db)
    return [position, chain]
  } finally {
    await close()
  }
}
