import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobStore } from './store.ts'

const FOLDER = /^[0-9a-f]{2}$/
const SHA256 = /^[0-9a-f]{64}$/
/** A blob on its way out. One that a killed process left is put back by the next `listOldBlobs`. */
const ASIDE = /^leaving-([0-9a-f]{64})$/

/**
 * The blobs that were written longer ago than that, some at a time, by their SHA-256.
 *
 * @param olderThanMs a blob whose bytes were sent again since is young
 */
export async function* listOldBlobs(
  store: BlobStore,
  olderThanMs: number,
): AsyncGenerator<string[]> {
  const folders = (await readdir(store.folder)).filter(name => FOLDER.test(name)).sort()
  for (const folder of folders) {
    const path = join(store.folder, folder)
    const old: string[] = []
    for (const name of await readdir(path)) {
      const [, left] = ASIDE.exec(name) ?? []
      if (left !== undefined) await rename(join(path, name), join(path, left))
      const sha256 = left ?? name
      if (SHA256.test(sha256) && (await ageOf(join(path, sha256))) > olderThanMs) old.push(sha256)
    }
    if (old.length > 0) yield old
  }
}

/**
 * Removes a blob that nothing names. One whose bytes are sent again at this very moment stays: it is taken aside first, and looked
 * at once more where nobody writes.
 *
 * @returns its size in bytes; null when it was young, or gone already
 */
export async function removeOldBlob(
  store: BlobStore,
  sha256: string,
  olderThanMs: number,
): Promise<number | null> {
  const place = join(store.folder, sha256.slice(0, 2), sha256)
  const aside = join(store.folder, sha256.slice(0, 2), `leaving-${sha256}`)
  if (!(await isMoved(place, aside))) return null
  if ((await ageOf(aside)) <= olderThanMs) {
    await rename(aside, place)
    return null
  }
  const { size } = await stat(aside)
  await rm(aside)
  return size
}

async function isMoved(from: string, to: string): Promise<boolean> {
  return rename(from, to).then(
    () => true,
    () => false,
  )
}

/** How long ago a file was written; -1 when it is not there. */
async function ageOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => null)
  return found === null ? -1 : Date.now() - found.mtimeMs
}
