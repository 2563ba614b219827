import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { restoreFolder } from '../../src/backup/folder/load.ts'
import { demandWhole } from '../../src/backup/folder/tell.ts'
import { writeBackupFolder } from '../../src/backup/folder/write.ts'
import { putBlob } from '../../src/blobs/store.ts'
import type { Json } from '../../src/codec/json.ts'
import { attachBlob } from '../../src/commands/blobs.ts'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { readHead } from '../../src/log/read.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { assert, suite } from '../harness.ts'
import { archiveOf, loadInto, piecesOf, tempStores } from '../support/archives.ts'
import { AS_ROOT, TEST_SITE, testDatabase } from '../support/database.ts'
import { contentsOf, type FolderSite, folderSite } from './folder/folder-site.ts'

/** `RM3_TEST_FILE_BYTES=100000000` takes a larger file along. */
const FILE_BYTES = Number(process.env['RM3_TEST_FILE_BYTES'] ?? 3_000_000)
const TEXT_CHARS = 2_000_000
const MEGABYTE = 1024 * 1024

const nested = (depth: number): Json => (depth === 0 ? 'deep' : [nested(depth - 1)])
/** Values at the ends of what rm3 keeps. */
const EXTREMES: Readonly<Record<string, Json>> = {
  numbers: [2 ** 53 - 1, -(2 ** 53 - 1), 5e-324, Number.MAX_VALUE, 1e21, 0.1, 0],
  texts: ['', ' ', '\u{1f600}\u{10ffff}', '\u2028\u2029\ufeff\ufffd', '\t\r\n\\"', '</script>'],
  nothing: [null, {}, [], [[]], { '': {} }],
  keys: { constructor: 1, toString: 2, 'a"b\n': 3, é: 4, 'e\u0301': 5, 0: 6 },
  deep: nested(50),
  long: 'ä1\n'.repeat(TEXT_CHARS / 3),
}

suite('a site of extremes', test => {
  let open: FolderSite
  test.before(async () => {
    open = await folderSite()
    for (const [name, value] of Object.entries(EXTREMES)) {
      const document = { proto: 'base', hidden: false, summary: {}, data: { value }, tags: {} }
      await change(open.site, AS_ROOT, it => createPage(it, { path: `wh.${name}`, document }))
    }
    for (const sizeBytes of [0, 1, MEGABYTE, MEGABYTE + 1, FILE_BYTES]) {
      const stored = await putBlob(open.stores.public, piecesOf(randomBytes(sizeBytes), 100_000))
      const name = `${sizeBytes}.bin`
      await change(open.site, AS_ROOT, it =>
        attachBlob(it, 'wh.numbers', { ...stored, name, category: 'public' }),
      )
    }
  })
  test.after(() => open.close())

  test('comes back from a folder and an archive, and its backup is the same', async () => {
    const { chain } = await readHead(open.site.db)
    const first = await open.backup('first')
    const proof = await demandWhole(first)
    const { bytes } = await archiveOf(open.url, open.stores)
    const projections = await discoverProjections()
    const { url, drop } = await testDatabase()
    const other = await testDatabase()
    const [stores, others] = [await tempStores(), await tempStores()]
    const database = { url, site: TEST_SITE }

    const options = { projections, allowUnsafe: true }
    await restoreFolder(database, { dir: first, proof, stores }, options)
    const { restored } = await loadInto(other.url, [bytes], { stores: others })
    const second = join(open.folder, 'second')
    await writeBackupFolder({ ...database, stores }, { dir: second, program: 'test' })
    const third = join(open.folder, 'third')
    const source = { url: other.url, site: TEST_SITE, stores: others }
    await writeBackupFolder(source, { dir: third, program: 'test' })

    assert.is(restored.head.chain, chain)
    const names = readdirSync(first)
    const wanted = await contentsOf(first, names)
    for (const dir of [second, third]) assert.equal(await contentsOf(dir, readdirSync(dir)), wanted)
    for (const it of [stores, others]) await it.remove()
    await drop()
    await other.drop()
  }, 120_000)
})
