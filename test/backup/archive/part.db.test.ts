import fc from 'fast-check'
import type { ArchiveSource } from '../../../src/backup/archive/load.ts'
import { readArchivePart } from '../../../src/backup/archive/part.ts'
import { blobsIn } from '../../../src/backup/beside.ts'
import { eventsOfPart } from '../../../src/backup/folder/plan.ts'
import { appendsOf } from '../../../src/backup/part.ts'
import { openBlob } from '../../../src/blobs/store.ts'
import { erase } from '../../../src/commands/erase.ts'
import { readHead } from '../../../src/log/read.ts'
import { assert, rejection, suite } from '../../harness.ts'
import { anyLog } from '../../support/any-log.ts'
import { archiveOf, NO_KEYS, piecesOf, tempStores } from '../../support/archives.ts'
import { testEraser } from '../../support/erasing.ts'
import { type FolderSite, folderSite } from '../folder/folder-site.ts'

const DEEDS = 200
const PATHS = [null, 'wh', 'wh.a', 'wh.a.b', 'wh.c', 'wh.users', 'wh.users.ann', 'wh.users.bob']

/** Archives of a site, the second the continuation of the first, which erases all of a page and events of others. */
async function archived(open: FolderSite, seed: number): Promise<ArchiveSource[]> {
  const [log] = fc.sample(anyLog(DEEDS), { numRuns: 1, seed })
  const events = log?.events ?? []
  const half = Math.floor(events.length / 2)
  await open.fill(events.slice(0, half))
  const { position } = await readHead(open.site.db)
  const whole = await archiveOf(open.url, open.stores)
  await open.fill(events.slice(half))
  const { eraser, remove } = await testEraser(open)
  const pages = events.filter(({ type }) => type === 'PageCreated').slice(0, 3)
  for (const [index, { stream }] of pages.entries()) {
    const wanted = index === 0 ? ('whole' as const) : new Set([1])
    const request = { entityId: stream, wanted, actor: 'root', door: 'cli', reason: null } as const
    await erase(eraser, { ...request, keepsShown: false })
  }
  remove()
  const rest = await archiveOf(open.url, open.stores, { since: position, allowIncomplete: true })
  return [sourceOf('whole', whole.bytes), sourceOf('rest', rest.bytes)]
}

function sourceOf(name: string, bytes: Buffer): ArchiveSource {
  return { name, open: async () => ({ bytes: piecesOf(bytes), close: async () => {} }) }
}

suite('a part of what archives tell', test => {
  for (const seed of [3, 11, 27]) {
    test(`is what a folder of the same position tells, of history ${seed}`, async () => {
      const open = await folderSite()
      try {
        const sources = await archived(open, seed)
        const dir = await open.backup('site', { allowIncomplete: true })
        for (const path of PATHS) {
          const told = inOrder(() => eventsOfPart(dir, path))
          const part = await readArchivePart(sources, { path, keys: NO_KEYS }).catch(codeOf)
          assert.equal(typeof part === 'string' ? part : part.events, told)
        }
      } finally {
        await open.close()
      }
    }, 90_000)
  }

  test('comes with the files and secrets that go with it, and no others', async () => {
    const open = await folderSite()
    const stores = await tempStores()
    try {
      const [whole] = await archived(open, 11)
      const sources = whole === undefined ? [] : [whole]
      const { events, beside } = await readArchivePart(sources, { path: null, keys: NO_KEYS })
      const attached = appendsOf(events).flatMap(it => it.events)
      const all = blobsIn(attached)
      const [first] = all
      assert.ok(first !== undefined && all.size > 0)

      await beside.putBlobs(new Map([first]), stores, {})

      const [sha256, { public: isPublic }] = first
      const { stream } = await openBlob(stores[isPublic ? 'public' : 'private'], sha256)
      stream.destroy()
      for (const [other] of all) {
        if (other === sha256) continue
        assert.is(codeOf(await rejection(openBlob(stores.public, other))), 'BLOB_MISSING')
      }
      assert.ok(beside.secrets().length > 0)
    } finally {
      await open.close()
      await stores.remove()
    }
  }, 90_000)

  test('needs the archives in their order, from the first on', async () => {
    const open = await folderSite()
    try {
      const [whole, rest] = (await archived(open, 11)) as [ArchiveSource, ArchiveSource]
      for (const sources of [[rest], [rest, whole], [whole, whole]]) {
        const thrown = await rejection(readArchivePart(sources, { path: null, keys: NO_KEYS }))
        assert.is(codeOf(thrown), 'BACKUP_INCOMPLETE')
      }
    } finally {
      await open.close()
    }
  }, 60_000)
})

function inOrder(read: () => ReturnType<typeof eventsOfPart>) {
  try {
    return read().sort((one, other) => one.position - other.position)
  } catch (thrown) {
    return codeOf(thrown)
  }
}

function codeOf(thrown: unknown): string {
  return (thrown as { code?: string }).code ?? String(thrown)
}
