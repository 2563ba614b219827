import {
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeOldBlob } from '../../src/blobs/collect.ts'
import { type BlobStores, openBlobStore, putBlob } from '../../src/blobs/store.ts'
import { detachBlob, uploadBlob } from '../../src/commands/blobs.ts'
import { change } from '../../src/commands/change.ts'
import { createPage, deletePage } from '../../src/commands/pages.ts'
import { poolDb } from '../../src/pg/db.ts'
import { openPool } from '../../src/pg/pool.ts'
import collectBlobs from '../../workers/collect-blobs.ts'
import { assert, suite } from '../harness.ts'
import { page } from '../http/support.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { runContext } from '../support/run-context.ts'

const DAY_MS = 86_400_000

suite('collect-blobs', test => {
  let open: TestSite
  let blobs: BlobStores
  const folder = mkdtempSync(join(tmpdir(), 'rm3-collect-'))
  test.before(async () => {
    open = await testSite()
    blobs = {
      public: await openBlobStore(join(folder, 'public')),
      private: await openBlobStore(join(folder, 'private')),
    }
    await change(open.site, AS_ROOT, it => createPage(it, { path: 'wh', document: page('wh') }))
  })
  test.after(async () => {
    await open.close()
    rmSync(folder, { recursive: true, force: true })
  })
  async function* bytes(text: string) {
    yield Buffer.from(text)
  }
  const placeOf = (sha256: string, category: 'public' | 'private' = 'public') =>
    join(folder, category, sha256.slice(0, 2), sha256)
  const age = (path: string, ms: number) => {
    const then = new Date(Date.now() - ms)
    utimesSync(path, then, then)
  }
  const put = async (text: string, ageMs: number, category: 'public' | 'private' = 'public') => {
    const { sha256 } = await putBlob(blobs[category], bytes(text))
    age(placeOf(sha256, category), ageMs)
    return sha256
  }
  const upload = async (name: string, text: string) => {
    const file = { path: 'wh', name, category: 'public' as const, bytes: bytes(text) }
    const { blob } = await uploadBlob(open.site, AS_ROOT, blobs, file)
    age(placeOf(blob.sha256), 30 * DAY_MS)
    return blob.sha256
  }
  const collect = (dryRun = false) => collectBlobs.run(runContext(open, { blobs, dryRun }))

  test('removes old bytes that no event ever named, and nothing that any event did', async () => {
    const failed = await put('the page was gone', 2 * DAY_MS)
    const hidden = await put('private too', 2 * DAY_MS, 'private')
    const young = await put('on its way', DAY_MS - 60_000)
    const kept = await upload('a.txt', 'kept')
    const replaced = await upload('b.txt', 'replaced')
    await upload('b.txt', 'in its place')
    const detached = await upload('c.txt', 'detached')
    await change(open.site, AS_ROOT, it => detachBlob(it, 'wh', 'c.txt'))
    const partial = join(folder, 'public', 'incoming-00000000-0000-4000-8000-000000000000')
    writeFileSync(partial, 'half')
    age(partial, 2 * DAY_MS)
    const dry = await collect(true)
    const dryGone = [failed, hidden].filter(
      sha256 => !existsSync(placeOf(sha256)) && !existsSync(placeOf(sha256, 'private')),
    )
    const report = await collect()

    assert.equal(dry, { looked: 6, removed: 2, bytes: 0, partials: 0 })
    assert.equal(dryGone, [])
    assert.equal(report, { looked: 6, removed: 2, bytes: 28, partials: 1 })
    for (const sha256 of [young, kept, replaced, detached]) assert.ok(existsSync(placeOf(sha256)))
    assert.not.ok(existsSync(placeOf(failed)) || existsSync(placeOf(hidden, 'private')))
    assert.not.ok(existsSync(partial))
  })

  test('asks the log itself, so that a damaged table costs no bytes', async () => {
    const sha256 = await upload('d.txt', 'not in the table')
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh'))
    const pool = openPool({ url: open.url, site: TEST_SITE, restricted: false, connectionsMax: 1 })
    await poolDb(pool).script('delete from blobs')
    await pool.end()
    await collect()

    assert.ok(existsSync(placeOf(sha256)))
  })

  test('leaves bytes that are sent again at that very moment, and puts back what a killed run took aside', async () => {
    const young = await put('sent again', 0)
    const old = await put('left aside', 2 * DAY_MS)
    const aside = join(folder, 'public', old.slice(0, 2), `leaving-${old}`)
    const removed = await removeOldBlob(blobs.public, young, DAY_MS)
    renameSync(placeOf(old), aside)
    await collect(true)

    assert.is(removed, null)
    assert.ok(existsSync(placeOf(young)))
    assert.ok(existsSync(placeOf(old)))
    assert.equal(readdirSync(join(folder, 'public', old.slice(0, 2))), [old])
  })
})
