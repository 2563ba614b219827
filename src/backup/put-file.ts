import { type BlobStore, putBlob } from '../blobs/store.ts'
import { isRm3Error } from '../errors.ts'

/**
 * Puts a file of a backup into a store.
 *
 * @returns whether it is still there, with the bytes that were proved
 * @throws DISK_FULL, FILE_FAILED
 */
export async function putFile(path: string, sha256: string, store: BlobStore): Promise<boolean> {
  const stored = await putBlob(store, path).catch(thrown => {
    const isGone = isRm3Error(thrown, 'SOURCE_NOT_FOUND') || isRm3Error(thrown, 'SOURCE_DAMAGED')
    if (isGone) return null
    throw thrown
  })
  return stored?.sha256 === sha256
}
