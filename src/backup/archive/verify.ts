import { createHash } from 'node:crypto'
import { Rm3Error } from '../../errors.ts'
import type { Keys } from '../age/wrap.ts'
import type { ArchiveEnd, ArchiveHeader } from './contents.ts'
import { openArchive, type ReadBlob } from './read.ts'

export interface VerifiedArchive extends ArchiveHeader, ArchiveEnd {
  /** Of the archive, decrypted. */
  readonly sizeBytes: number
}

/**
 * Reads a whole archive and proves it: every frame, every blob against its hash, every event against its hash and the chain from the parent to
 * the head, all counts, and that nothing follows. Needs no database, and writes nothing.
 *
 * @param onProgress told the bytes read so far
 * @throws BACKUP_DAMAGED naming the frame and the byte where the damage begins, WRONG_KEY, BACKUP_NEWER
 */
export async function verifyArchive(
  source: AsyncIterable<Uint8Array>,
  keys: Keys,
  options: { signal?: AbortSignal; onProgress?: (bytes: number) => void } = {},
): Promise<VerifiedArchive> {
  const archive = await openArchive(source, keys)
  const tell = () => {
    options.signal?.throwIfAborted()
    options.onProgress?.(archive.offset)
  }
  for await (const blob of archive.blobs()) {
    await proveBlob(blob)
    tell()
  }
  await archive.passSecrets()
  const events = archive.events()
  let next = await events.next()
  for (; !next.done; next = await events.next()) tell()
  return { ...archive.header, ...next.value, sizeBytes: archive.offset }
}

/** Reads a blob's bytes. @throws BACKUP_DAMAGED when they are not those of its name */
export async function proveBlob(blob: ReadBlob): Promise<void> {
  if (blob.missing) return
  const hash = createHash('sha256')
  for await (const bytes of blob.bytes) hash.update(bytes)
  if (hash.digest('hex') !== blob.sha256) throw otherBytes(blob)
}

export function otherBytes({ sha256 }: ReadBlob): Rm3Error {
  return new Rm3Error(
    'BACKUP_DAMAGED',
    `the archive is damaged: the bytes of the blob ${sha256} are others than its name says`,
    { sha256 },
  )
}
