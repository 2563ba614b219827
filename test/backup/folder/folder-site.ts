import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { storeSecret } from '../../../src/access/credentials.ts'
import type { FolderOptions } from '../../../src/backup/folder/write.ts'
import { writeBackupFolder } from '../../../src/backup/folder/write.ts'
import { type BlobStores, openBlobStore, putBlob } from '../../../src/blobs/store.ts'
import type { SiteEvent } from '../../../src/content/events.ts'
import { append } from '../../contract/projection.ts'
import { anyLog } from '../../support/any-log.ts'
import { TEST_SITE, type TestSite, testSite } from '../../support/database.ts'

/** A site with blob stores and a folder for backups. */
export interface FolderSite extends TestSite {
  readonly folder: string
  readonly stores: BlobStores
  /** Appends events as they are, with the bytes and secrets that they speak of. */
  fill(events: readonly SiteEvent[]): Promise<void>
  /** Backs the site up into a folder of that name. @returns the folder's path */
  backup(name: string, options?: Partial<FolderOptions>): Promise<string>
}

export async function folderSite(): Promise<FolderSite> {
  const opened = await testSite()
  const folder = mkdtempSync(join(tmpdir(), 'rm3-folder-'))
  const stores = {
    public: await openBlobStore(join(folder, 'public')),
    private: await openBlobStore(join(folder, 'private')),
  }
  return {
    ...opened,
    folder,
    stores,
    fill: async events => {
      const real = events.map(event => withRealBlob(event))
      for (const event of real) await keepBeside(opened, stores, event)
      for (const event of real) await append(opened.site, [event])
    },
    backup: async (name, options = {}) => {
      const dir = join(folder, name)
      const source = { url: opened.url, site: TEST_SITE, stores }
      await writeBackupFolder(source, { program: 'rm3 test', dir, ...options })
      return dir
    },
    close: async () => {
      await opened.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Events of a site on which about so many things were done, the same for the same seed. */
export function someEvents(deeds: number, seed = 7): readonly SiteEvent[] {
  const [log] = fc.sample(anyLog(deeds), { numRuns: 1, seed })
  return log?.events ?? []
}

/** Names and texts of the files of a folder that are one for every run: all, but for the last lines of the catalog. */
export async function contentsOf(
  dir: string,
  names: readonly string[],
): Promise<Record<string, string>> {
  const contents: Record<string, string> = {}
  for (const name of [...names].sort()) {
    const text = await readFile(join(dir, name), 'latin1')
    contents[name] = name === 'catalog.json' ? text.replace(/^"run":.*$/m, '') : text
  }
  return contents
}

/** The made-up hash of a blob becomes that of bytes which are there. */
function withRealBlob(event: SiteEvent): SiteEvent {
  if (event.type !== 'BlobAttached') return event
  const { sha256, sizeBytes } = bytesFor(event.data.sha256)
  return { ...event, data: { ...event.data, sha256, sizeBytes } }
}

function bytesFor(madeUp: string) {
  const bytes = Buffer.from(madeUp.slice(0, 3))
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { bytes, sha256, sizeBytes: bytes.length }
}

async function keepBeside(opened: TestSite, stores: BlobStores, event: SiteEvent): Promise<void> {
  if (event.type === 'BlobAttached') {
    for (const madeUp of ['000', '111', '222']) {
      const { bytes } = bytesFor(madeUp)
      await putBlob(stores[event.data.category], one(bytes))
    }
  }
  if (event.type !== 'CredentialSet') return
  const { credential } = event.data
  await storeSecret(opened.site.db, {
    credential,
    userId: event.stream,
    secret: `of ${credential}`,
  })
}

async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}
