import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../../../src/backup/archive/file.ts'
import { archiveParts } from '../../../src/backup/archive/load.ts'
import { verifyArchive } from '../../../src/backup/archive/verify.ts'
import { writeArchive } from '../../../src/backup/archive/write.ts'
import { restoreFolder } from '../../../src/backup/folder/load.ts'
import { demandWhole } from '../../../src/backup/folder/tell.ts'
import { writeBackupFolder } from '../../../src/backup/folder/write.ts'
import { loadGit } from '../../../src/backup/git/load.ts'
import { writeGit } from '../../../src/backup/git/write.ts'
import { restoreSite } from '../../../src/backup/restore.ts'
import { makeScheduledBackup } from '../../../src/backup/scheduled.ts'
import { archiveSource } from '../../../src/cli/archive-source.ts'
import type { Call } from '../../../src/cli/command.ts'
import { NO_POLICY } from '../../../src/content/keep-policy.ts'
import { openSite } from '../../../src/open-site.ts'
import { discoverProjections } from '../../../src/projector/discover.ts'
import { NO_KEYS } from '../../support/archives.ts'
import { TEST_SITE } from '../../support/database.ts'

/** Where a subject works. Everything on files is below `folder`. */
export interface Place {
  /** A site with pages, files and secrets. */
  readonly from: string
  /** An empty one; '' where nothing is loaded. */
  readonly to: string
  /** With the stores `public` and `private` of `from`, `whole` (a backup), `whole.rm3` and `whole-git`. */
  readonly folder: string
  /** What is written, and the stores of what is loaded, has this name. */
  readonly name: string
}

/** What is broken off, as its command does it: backups, loads and proofs in every format. */
export const SUBJECTS = {
  'a backup into a folder': async ({ from, folder, name }: Place) => {
    const dir = join(folder, name)
    const resume = lstatSync(`${dir}.partial`, { throwIfNoEntry: false }) !== undefined
    const source = { url: from, site: TEST_SITE, stores: storesIn(folder) }
    await writeBackupFolder(source, { dir, program: 'test', resume })
  },
  'a backup into an archive': async ({ from, folder, name }: Place) => {
    const source = { database: { url: from, site: TEST_SITE }, blobs: storesIn(folder) }
    await writeWhole(join(folder, name), out => writeArchive(source, { out, program: 'test' }))
  },
  'a backup as a git repository': async ({ from, folder, name }: Place) => {
    const { site, close } = await openSite({ url: from, site: TEST_SITE, allowUnsafe: true })
    try {
      await writeGit(site.db, storesIn(folder), { dir: join(folder, name) })
    } finally {
      await close()
    }
  },
  'a scheduled backup into a folder': (place: Place) => scheduled(place, 'folder'),
  'a scheduled backup into an archive': (place: Place) => scheduled(place, 'archive'),
  'the proof of a folder': async ({ folder }: Place) => {
    await demandWhole(join(folder, 'whole'))
  },
  'the proof of an archive': async ({ folder }: Place) => {
    await usingArchive(folder, bytes => verifyArchive(bytes, NO_KEYS))
  },
  'a load of a folder': async ({ to, folder, name }: Place) => {
    const dir = join(folder, 'whole')
    const proof = await demandWhole(dir)
    await restoreFolder(
      { url: to, site: TEST_SITE },
      { dir, proof, stores: storesIn(join(folder, name)) },
      { projections: await discoverProjections(), allowUnsafe: true },
    )
  },
  'a load of an archive': async ({ to, folder, name }: Place) => {
    const stores = storesIn(join(folder, name))
    await restoreSite(
      { url: to, site: TEST_SITE },
      archiveParts([sourceIn(folder)], [], { keys: NO_KEYS, stores }),
      { projections: await discoverProjections(), allowUnsafe: true },
    )
  },
  'a load of a git repository': async ({ to, folder, name }: Place) => {
    const { site, close } = await openSite({ url: to, site: TEST_SITE, allowUnsafe: true })
    try {
      await loadGit(site, {
        source: join(folder, 'whole-git'),
        stores: storesIn(join(folder, name)),
      })
    } finally {
      await close()
    }
  },
} satisfies Readonly<Record<string, (place: Place) => Promise<void>>>

export type Subject = keyof typeof SUBJECTS

/** The stores of blobs in a folder. */
export function storesIn(folder: string) {
  return {
    public: { folder: join(folder, 'public') },
    private: { folder: join(folder, 'private') },
  }
}

/** Two runs within a second have names of their own: a millisecond is one of theirs. */
const START_MS = Date.parse('2026-11-01T00:00:00Z')

/** The second of two runs forgets what the first made. */
async function scheduled({ from, folder, name }: Place, kind: 'folder' | 'archive'): Promise<void> {
  await makeScheduledBackup(
    { url: from, site: TEST_SITE, stores: storesIn(folder) },
    { kind, full: 1, keep: { ...NO_POLICY, last: 1 } },
    {
      ...{ shelf: join(folder, name), recipients: [], identities: [], program: 'test' },
      now: new Date(START_MS + (Date.now() - START_MS) * 1_000).toISOString(),
    },
  )
}

/** As `rm3load --archive FILE` reads it. */
function sourceIn(folder: string) {
  const call = { terminal: { cwd: folder } } as unknown as Call
  return archiveSource(call, 'whole.rm3')
}

async function usingArchive(
  folder: string,
  use: (bytes: AsyncIterable<Uint8Array>) => Promise<unknown>,
): Promise<void> {
  const { bytes, close } = await sourceIn(folder).open()
  try {
    await use(bytes)
  } finally {
    await close()
  }
}
