import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { erasuresInArchive } from '../../../src/backup/archive/erasures.ts'
import { readErasures } from '../../../src/backup/erasures.ts'
import { rawEvents, restoreFolder } from '../../../src/backup/folder/load.ts'
import { planOfFolder } from '../../../src/backup/folder/plan.ts'
import { demandWhole } from '../../../src/backup/folder/tell.ts'
import { writeBackupFolder } from '../../../src/backup/folder/write.ts'
import { openBlobStore } from '../../../src/blobs/store.ts'
import { erase } from '../../../src/commands/erase.ts'
import { listErasures } from '../../../src/commands/erasures.ts'
import type { Wanted } from '../../../src/content/plan-erasure.ts'
import { readHead } from '../../../src/log/read.ts'
import { discoverProjections } from '../../../src/projector/discover.ts'
import { assert, suite } from '../../harness.ts'
import { type LogDatabase, logDatabase } from '../../log/log-database.ts'
import { archiveOf, NO_KEYS, piecesOf } from '../../support/archives.ts'
import { TEST_SITE, testDatabase } from '../../support/database.ts'
import { testEraser } from '../../support/erasing.ts'
import { refused } from '../../support/refused.ts'
import { contentsOf, type FolderSite, folderSite, someEvents } from './folder-site.ts'
import { anyRawLog, become, becomeLog } from './raw-log.ts'

/** How many histories: `RM3_TEST_ROUND_TRIPS=1000`. */
const RUNS = Number(process.env['RM3_TEST_ROUND_TRIPS'] ?? 30)
const DEEDS = 80
const DEADLINE_MS = 7_200_000

suite('a backup of any history', test => {
  let source: LogDatabase
  let target: LogDatabase
  const folder = mkdtempSync(join(tmpdir(), 'rm3-trip-'))
  test.before(async () => {
    source = await logDatabase()
    target = await logDatabase()
  })
  test.after(async () => {
    await source.close()
    await target.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test(
    `loads, and comes back byte for byte, of ${RUNS} histories`,
    async () => {
      await fc.assert(
        fc.asyncProperty(anyRawLog(DEEDS), async events => {
          const [first, second] = [join(folder, 'first'), join(folder, 'second')]
          await become(source, events)
          await backup(source, first)
          const { head } = await demandWhole(first)
          assert.is(head?.position, events.length)

          await becomeLog(target, { position: 0, chain: '', ...head }, rawEvents(first))
          await backup(target, second)

          await assertSame(second, first)
          rmSync(first, { recursive: true })
          rmSync(second, { recursive: true })
        }),
        { numRuns: RUNS, endOnFailure: true },
      )
    },
    DEADLINE_MS,
  )

  async function backup({ url }: LogDatabase, dir: string): Promise<void> {
    const stores = { public: { folder }, private: { folder } }
    const options = { dir, program: 'rm3 test', allowIncomplete: true }
    await writeBackupFolder({ url, site: TEST_SITE, stores }, options)
  }
})

suite('loading a backup', test => {
  let open: FolderSite
  let dir = ''
  test.before(async () => {
    open = await folderSite()
    await open.fill(someEvents(150))
    dir = await open.backup('first')
  })
  test.after(() => open.close())

  test('brings all of the site back, with files and secrets, and proves it', async () => {
    const { url, drop } = await testDatabase()
    const database = { url, site: TEST_SITE }
    const stores = {
      public: await openBlobStore(join(open.folder, 'public-2')),
      private: await openBlobStore(join(open.folder, 'private-2')),
    }
    const proof = await demandWhole(dir)
    const projections = await discoverProjections()
    const load = () =>
      restoreFolder(database, { dir, proof, stores }, { projections, allowUnsafe: true })

    const restored = await load()
    const again = await refused(load())

    assert.is(restored.head.chain, proof.head?.chain)
    assert.is(restored.events, proof.head?.position)
    assert.equal([...restored.projections].sort(), projections.map(({ name }) => name).sort())
    assert.is(again.code, 'SITE_NOT_EMPTY')
    const second = join(open.folder, 'second')
    await writeBackupFolder({ ...database, stores }, { dir: second, program: 'rm3 again' })
    await assertSame(second, dir)
    await drop()
  })

  test('brings back what was not erased, erased as it was', async () => {
    const { eraser, remove } = await testEraser(open)
    const erasing = (entityId: string, wanted: Wanted) =>
      erase(eraser, {
        ...{ entityId, wanted, actor: 'root', door: 'cli', reason: null },
        keepsShown: false,
      })
    const { position: before } = await readHead(open.site.db)
    const [whole, partly] = await open.site.db.rows<{ stream: string; revisions: number[] }>(
      `select stream, array_agg(revision order by revision) as revisions from log
        where type in ('PageCreated', 'PageRevised') group by stream order by count(*) desc, stream limit 2`,
    )
    const older = await open.backup('older')
    await erasing(whole?.stream ?? '', 'whole')
    await erasing(partly?.stream ?? '', new Set(partly?.revisions.slice(0, -2)))
    remove()

    const erased = await open.backup('erased')
    const past = await refused(open.backup('before', { position: before }))
    await open.backup('present', { position: before, snapshot: true })
    const proof = await demandWhole(erased)
    const { url, drop } = await testDatabase()
    const restored = await restoreFolder(
      { url, site: TEST_SITE },
      { dir: erased, proof, stores: open.stores },
      { projections: await discoverProjections(), allowUnsafe: true },
    )
    const again = join(open.folder, 'erased again')
    await writeBackupFolder(
      { url, site: TEST_SITE, stores: open.stores },
      { dir: again, program: 'rm3' },
    )
    const plan = planOfFolder(erased, proof, { path: null, present: true })

    assert.equal([past.code, restored.head.chain], ['ERASED', proof.head?.chain])
    assert.ok((proof.counts?.erased ?? 0) > (whole?.revisions.length ?? 0))
    await assertSame(again, erased)
    const erasures = await readErasures(sourceOf(erased))
    assert.equal(erasures, await listErasures(open.site.db))
    const archive = await archiveOf(open.url, open.stores)
    assert.equal(await erasuresInArchive(piecesOf(archive.bytes), NO_KEYS), erasures)
    assert.equal(await readErasures(sourceOf(older)), [])
    assert.not.ok(plan.appends.some(({ events }) => events.some(({ type }) => type === 'Erased')))
    await drop()
  }, 60_000)

  test('refuses one that is not whole before the database is asked', async () => {
    const lacking = await open.backup('lacking')
    rmSync(join(lacking, 'settings.json'))

    const error = await refused(demandWhole(lacking))

    assert.is(error.code, 'BACKUP_INCOMPLETE')
    assert.match(error.message, 'settings.json')
  })
})

const sourceOf = (path: string) => ({ name: path, path, stdin: process.stdin, keys: NO_KEYS })

async function assertSame(second: string, first: string): Promise<void> {
  const names = readdirSync(first)
  assert.equal(readdirSync(second).sort(), [...names].sort())
  assert.equal(await contentsOf(second, names), await contentsOf(first, names))
}
