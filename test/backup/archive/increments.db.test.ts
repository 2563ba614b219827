import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { WriteArchiveOptions } from '../../../src/backup/archive/write.ts'
import { verifyFolder } from '../../../src/backup/folder/verify.ts'
import { type BlobStores, putBlob } from '../../../src/blobs/store.ts'
import { attachBlob } from '../../../src/commands/blobs.ts'
import { change } from '../../../src/commands/change.ts'
import { createPage } from '../../../src/commands/pages.ts'
import { readHead } from '../../../src/log/read.ts'
import { openSite } from '../../../src/open-site.ts'
import { openBulk } from '../../../src/pg/bulk.ts'
import { discoverProjections } from '../../../src/projector/discover.ts'
import { assert, suite } from '../../harness.ts'
import { contentOf } from '../../projector/damage-runs.ts'
import { archiveOf, loadInto, piecesOf, tempStores } from '../../support/archives.ts'
import {
  AS_ROOT,
  TEST_SITE,
  type TestSite,
  testDatabase,
  testSite,
} from '../../support/database.ts'
import { refused } from '../../support/refused.ts'
import { randomOf } from '../../torture/random.ts'
import { folderSite } from '../folder/folder-site.ts'

const DEADLINE_MS = 120_000
const PAGES_AT_ONCE = 100
const KILOBYTE = 1024

let from: TestSite
let stores: BlobStores & { remove: () => Promise<void> }
let pages = 0
const random = randomOf(9)

const archive = async (options: Partial<WriteArchiveOptions> = {}) =>
  (await archiveOf(from.url, stores, options)).bytes
const headOf = async () => readHead(from.site.db)

suite('archives that continue one another', test => {
  test.before(async () => {
    from = await testSite()
    stores = await tempStores()
    await savePages(from, 40)
  })
  test.after(async () => {
    await from.close()
    await stores.remove()
  })

  test(
    'thirty of them load as the whole one does, and each that is left out is missed',
    async () => {
      const parts = [await archive()]
      for (let part = 0; part < 30; part++) {
        const { position } = await headOf()
        await savePages(from, 1 + random.below(5))
        parts.push(await archive({ since: position }))
      }
      const [chained, whole] = [await testDatabase(), await testDatabase()]

      for (const lost of [0, 1, 17]) {
        const { code } = await refused(loadInto(chained.url, parts.toSpliced(lost, 1), { stores }))
        assert.is(code, 'BACKUP_INCOMPLETE', `without ${lost}`)
      }
      const { restored } = await loadInto(chained.url, parts, { stores })
      await loadInto(whole.url, [await archive()], { stores })

      assert.is(restored.head.chain, (await headOf()).chain)
      assert.equal(await rowsOf(chained.url), await rowsOf(whole.url))
      await chained.drop()
      await whole.drop()
    },
    DEADLINE_MS,
  )

  test(
    'are refused behind the log of another site, and behind one that went another way',
    async () => {
      const { position } = await headOf()
      const full = await archive()
      const [copy, foreign] = [await testDatabase(), await testSite()]
      await loadInto(copy.url, [full], { stores })
      await savePages(from, 3)
      const rest = await archive({ since: position })
      const { site, close } = await openSite({ url: copy.url, site: TEST_SITE, allowUnsafe: true })
      await savePages({ site }, 3)
      await savePages(foreign, position)
      const before = await readHead(site.db)

      for (const url of [copy.url, foreign.url]) {
        const { code } = await refused(loadInto(url, [rest], { stores }))
        assert.is(code, 'SITE_NOT_EMPTY')
      }
      const forked = (await archiveOf(copy.url, stores, { since: position })).bytes
      const empty = await testDatabase()
      const twoWays = await refused(loadInto(empty.url, [full, rest, forked], { stores }))
      assert.is(twoWays.code, 'SITE_NOT_EMPTY')

      assert.equal(await readHead(site.db), before)
      const opened = await openSite({ url: empty.url, site: TEST_SITE, allowUnsafe: true })
      assert.is((await readHead(opened.site.db)).position, 0)
      await opened.close()
      await close()
      await copy.drop()
      await empty.drop()
      await foreign.close()
    },
    DEADLINE_MS,
  )

  test('miss nothing that was being written while the one before was', async () => {
    const { db, close } = await openBulk({ url: from.url, site: TEST_SITE })
    const holder = await openBulk({ url: from.url, site: TEST_SITE })
    await db.script(HOLD)
    await holder.db.rows('select pg_advisory_lock(47)')
    const { position } = await headOf()
    const saving = savePages(from, 1)
    await waitsFor(db)

    const full = await archiveOf(from.url, stores)
    await holder.db.rows('select pg_advisory_unlock(47)')
    await saving
    const rest = await archiveOf(from.url, stores, { since: position })
    await db.script('drop trigger hold on log; drop function hold()')
    await holder.close()
    await close()

    assert.is(full.summary.head.position, position)
    assert.is(rest.summary.events, 1)
    const to = await testDatabase()
    const { restored } = await loadInto(to.url, [full.bytes, rest.bytes], { stores })
    assert.is(restored.head.chain, (await headOf()).chain)
    await to.drop()
  }, 60_000)

  test(
    'take as much room as what is new: of one per cent more events, one and a half per cent',
    async () => {
      await savePages(from, 2_000)
      const full = await archive()
      const { position } = await headOf()
      await savePages(from, Math.ceil(position / 100))

      const rest = await archive({ since: position })

      const allowed = full.length * 0.015 + 4 * KILOBYTE
      assert.ok(rest.length < allowed, `${rest.length} of ${full.length} bytes`)
    },
    DEADLINE_MS,
  )
})

suite('a file that a hundred pages have', test => {
  test(
    'is in a backup once: each page that has it too takes less than a kilobyte',
    async () => {
      const site = await folderSite()
      await savePages(site, 100)
      const bytes = Buffer.from(Array.from({ length: 300_000 }, () => random.below(256)))
      const stored = await putBlob(site.stores.public, piecesOf(bytes))
      const attach = (page: number) =>
        change(site.site, AS_ROOT, it =>
          attachBlob(it, `wh.p${pages - 1 - page}`, {
            ...{ ...stored, name: 'a.bin', category: 'public' },
          }),
        )
      const sizes = async (name: string) => {
        const dir = await site.backup(name)
        assert.equal((await verifyFolder(dir)).findings, [])
        const files = readdirSync(dir).map(file => statSync(join(dir, file)).size)
        const size = (await archiveOf(site.url, site.stores)).bytes.length
        rmSync(dir, { recursive: true })
        return [files.reduce((sum, it) => sum + it), size] as const
      }
      await attach(0)
      const [folder, stream] = await sizes('once')

      for (let page = 1; page < 100; page++) await attach(page)

      const [folderAfter, streamAfter] = await sizes('often')
      assert.ok((folderAfter - folder) / 99 < KILOBYTE, `${(folderAfter - folder) / 99}`)
      assert.ok((streamAfter - stream) / 99 < KILOBYTE, `${(streamAfter - stream) / 99}`)
      await site.close()
    },
    DEADLINE_MS,
  )
})

/** An append waits, its event in the table and its transaction open, while somebody holds a lock. */
const HOLD = `create function hold() returns trigger language plpgsql as
  'begin perform pg_advisory_xact_lock(47); return null; end';
  create trigger hold after insert on log for each statement execute function hold()`
const WAITING = `select count(*)::int as count from pg_locks where locktype = 'advisory' and objid = 47 and not granted`

async function waitsFor(db: { rows<Row>(text: string): Promise<Row[]> }): Promise<void> {
  for (;;) {
    const [row] = await db.rows<{ count: number }>(WAITING)
    if ((row?.count ?? 0) > 0) return
  }
}

/** New pages, each one event, with a text that does not compress to nothing. */
async function savePages({ site }: Pick<TestSite, 'site'>, count: number): Promise<void> {
  for (let left = count; left > 0; left -= PAGES_AT_ONCE) {
    await change(site, AS_ROOT, async it => {
      for (let page = Math.min(left, PAGES_AT_ONCE); page > 0; page--) {
        const source = Array.from({ length: 30 }, () => random.uuid()).join('\n')
        const data = { posting: { format: 'markdown', source } }
        const document = { proto: 'base', hidden: false, summary: {}, data, tags: {} }
        await createPage(it, { path: `wh.p${pages++}`, document })
      }
    })
  }
}

async function rowsOf(url: string) {
  const { db, close } = await openBulk({ url, site: TEST_SITE })
  try {
    const projections = await discoverProjections()
    const isKept = ({ mode }: (typeof projections)[number]) => mode === 'inline'
    return await contentOf(db, projections.filter(isKept))
  } finally {
    await close()
  }
}
