import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT_VIEWER } from '../../src/access/viewer.ts'
import { writeBackupFolder } from '../../src/backup/folder/write.ts'
import { type BlobStores, openBlobStore, putBlob } from '../../src/blobs/store.ts'
import { attachBlob } from '../../src/commands/blobs.ts'
import { change, type Site } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'

const DOCUMENT = { proto: 'base', hidden: false, summary: { title: 'x' }, data: {}, tags: {} }

/** A folder for what a benchmark writes, removed when the work is over. */
export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rm3-bench-folder-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function storesIn(folder: string): Promise<BlobStores> {
  return {
    public: await openBlobStore(join(folder, 'public')),
    private: await openBlobStore(join(folder, 'private')),
  }
}

/** A page with that many files of that size, of random bytes. */
export async function attachFiles(
  site: Site,
  stores: BlobStores,
  { count, bytes }: { count: number; bytes: number },
): Promise<void> {
  const author = { viewer: ROOT_VIEWER, door: 'cli' } as const
  const path = 'wh.files'
  await change(site, author, it => createPage(it, { path, document: DOCUMENT }))
  const content = randomBytes(bytes)
  for (let n = 0; n < count; n++) {
    content.writeUInt32BE(n)
    const blob = await putBlob(stores.public, one(content))
    const file = { ...blob, name: `file-${n}`, category: 'public' } as const
    await change(site, author, it => attachBlob(it, path, file))
  }
}

async function* one(bytes: Buffer): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

/** Seconds that a backup takes. */
export async function backupSeconds(
  source: { url: string; site: string; stores: BlobStores },
  dir: string,
): Promise<number> {
  const start = performance.now()
  await writeBackupFolder(source, { dir, program: 'bench' })
  return (performance.now() - start) / 1000
}

/** Seconds that a line for the shell takes. */
export function shellSeconds(line: string): number {
  const start = performance.now()
  const { status, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return (performance.now() - start) / 1000
}
