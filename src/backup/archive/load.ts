import { type BlobStores, putBlob } from '../../blobs/store.ts'
import type { Keys } from '../age/wrap.ts'
import type { RestorePart } from '../restore.ts'
import type { ArchiveHeader } from './contents.ts'
import { type ArchiveReader, openArchive, type ReadBlob } from './read.ts'
import { otherBytes, proveBlob } from './verify.ts'

/** An archive to be loaded. */
export interface ArchiveSource {
  /** What people call it. */
  readonly name: string
  /** Its bytes, and what ends the reading of them. */
  open(): Promise<{ bytes: AsyncIterable<Uint8Array>; close: () => Promise<void> }>
}

export interface LoadedArchive {
  readonly name: string
  readonly header: ArchiveHeader
  /** Put into their stores now. */
  blobs: number
  /** Were missing when the archive was written. */
  missingBlobs: number
  /** Whether the site did not hold all of it already. */
  isLoaded: boolean
}

export interface LoadArchivesOptions {
  readonly keys: Keys
  /** Null: blobs are proved and not kept. */
  readonly stores: BlobStores | null
  readonly signal?: AbortSignal | undefined
  readonly onProgress?:
    | ((step: 'files' | 'events', done: number, total: number) => void)
    | undefined
}

/**
 * Archives, the first a whole one or the continuation of a site's log, each other the continuation of the one before, as parts for
 * `restoreSite`. Each is read once, from its first byte to its last.
 *
 * @param loaded is filled with what was done
 * @throws SOURCE_NOT_FOUND, BACKUP_DAMAGED, WRONG_KEY, BACKUP_NEWER, DISK_FULL
 */
export async function* archiveParts(
  sources: readonly ArchiveSource[],
  loaded: LoadedArchive[],
  options: LoadArchivesOptions,
): AsyncGenerator<RestorePart> {
  for (const source of sources) {
    const { bytes, close } = await source.open()
    try {
      const archive = await openArchive(bytes, options.keys)
      const { header } = archive
      const telling = { name: source.name, header, blobs: 0, missingBlobs: 0, isLoaded: false }
      loaded.push(telling)
      yield { ...header, open: () => openPart(archive, telling, options) }
    } finally {
      await close()
    }
  }
}

async function openPart(
  archive: ArchiveReader,
  loaded: LoadedArchive,
  options: LoadArchivesOptions,
): ReturnType<RestorePart['open']> {
  loaded.isLoaded = true
  for await (const blob of archive.blobs()) {
    options.signal?.throwIfAborted()
    await keep(blob, options.stores)
    if (blob.missing) loaded.missingBlobs++
    else loaded.blobs++
    options.onProgress?.('files', loaded.blobs + loaded.missingBlobs, 0)
  }
  return { secrets: await archive.secrets(), events: counted(archive, options) }
}

/** What stays behind of a load that fails later harms nothing: a blob is named by its content, and one that nobody names is collected. */
async function keep(blob: ReadBlob, stores: BlobStores | null): Promise<void> {
  if (stores === null || blob.missing) return proveBlob(blob)
  const { sha256 } = await putBlob(stores[blob.category], blob.bytes)
  if (sha256 !== blob.sha256) throw otherBytes(blob)
}

async function* counted(archive: ArchiveReader, { signal, onProgress }: LoadArchivesOptions) {
  const { parent, head } = archive.header
  for await (const batch of archive.events()) {
    signal?.throwIfAborted()
    yield batch
    onProgress?.(
      'events',
      (batch.at(-1)?.position ?? 0) - parent.position,
      head.position - parent.position,
    )
  }
}
