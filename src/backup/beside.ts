import type { BlobStores } from '../blobs/store.ts'
import type { Secret } from './restore.ts'

/** SHA-256 of files, and which stores they belong in. */
export type WantedBlobs = ReadonlyMap<string, Readonly<Record<keyof BlobStores, boolean>>>

export interface PutBlobsOptions {
  readonly signal?: AbortSignal | undefined
  /** Told how many files of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** What a backup has beside its events. */
export interface Beside {
  /** Secrets of the credentials that are in force where it ends. */
  secrets(): readonly Secret[]
  /**
   * Puts files into the stores that they belong in; those that the backup does not have are passed over. What stays behind of a load that
   * fails later harms nothing: files are named by their content, and what nobody names is collected.
   *
   * @throws BACKUP_DAMAGED when the bytes are no longer those that were proved, DISK_FULL, the reason of `signal`
   */
  putBlobs(wanted: WantedBlobs, stores: BlobStores, options: PutBlobsOptions): Promise<void>
}

/** The files that events attach. */
export function blobsIn(
  events: Iterable<{ readonly type: string; readonly data: unknown }>,
): Map<string, Record<keyof BlobStores, boolean>> {
  const blobs = new Map<string, Record<keyof BlobStores, boolean>>()
  for (const { type, data } of events) {
    if (type !== 'BlobAttached' || data === null) continue
    const { sha256, category } = data as { sha256: string; category: keyof BlobStores }
    const use = blobs.get(sha256) ?? { public: false, private: false }
    use[category] = true
    blobs.set(sha256, use)
  }
  return blobs
}
