import { join } from 'node:path'
import { putBlob } from '../blobs/store.ts'
import type { Config } from '../config.ts'
import { Rm3Error } from '../errors.ts'
import type { Call } from './command.ts'
import { openStores } from './open.ts'

/** A file of a backup that holds a blob. */
export interface BlobSource {
  readonly sha256: string
  readonly file: string
  readonly category: 'public' | 'private'
}

/**
 * Keeps the blobs of a backup. Each is named by its content, so what stays behind when a load fails later harms nothing.
 *
 * @param dir folder of the backup
 * @throws SOURCE_DAMAGED when a file is not what it was when the backup was read, DISK_FULL
 */
export async function putBlobs(
  call: Call,
  config: Config,
  { dir, blobs }: { dir: string; blobs: readonly BlobSource[] },
): Promise<void> {
  if (blobs.length === 0) return
  const stores = await openStores(config)
  const progress = call.progress('files')
  for (const [index, { sha256, file, category }] of blobs.entries()) {
    call.signal.throwIfAborted()
    const stored = await putBlob(stores[category], join(dir, file))
    if (stored.sha256 !== sha256) {
      throw new Rm3Error('SOURCE_DAMAGED', `${file} was changed while the backup was being read`, {
        file,
      })
    }
    progress.update(index + 1, blobs.length)
  }
  progress.end()
}
