import type { Readable } from 'node:stream'
import { type BlobStores, openBlob } from '../../blobs/store.ts'
import { isRm3Error, Rm3Error } from '../../errors.ts'
import { fileError } from '../../file-error.ts'
import type { Written } from './durable-files.ts'
import type { BlobUse } from './tally.ts'
import type { Output } from './write-streams.ts'

export interface BlobsOptions {
  readonly concurrency: number
  /** Whether blobs that are not there, or damaged, are listed instead of ending the backup. */
  readonly allowIncomplete: boolean
  readonly signal?: AbortSignal | undefined
  readonly onBytes?: ((count: number) => void) | undefined
}

/**
 * Writes the bytes of every blob that was gathered, each once; some at a time, and told to the catalog in order of
 * their hashes.
 *
 * @returns the hashes of those that are not there
 * @throws BACKUP_INCOMPLETE, DISK_FULL, the reason of `signal`
 */
export async function writeBlobs(
  stores: BlobStores,
  output: Output,
  options: BlobsOptions,
): Promise<string[]> {
  const { catalog, tally } = output
  const blobs = [...tally.blobs].sort(([one], [other]) => (one < other ? -1 : 1))
  const missing: string[] = []
  for (let from = 0; from < blobs.length; from += options.concurrency) {
    options.signal?.throwIfAborted()
    const some = blobs.slice(from, from + options.concurrency)
    const found = await Promise.all(some.map(blob => writeBlob(stores, output, blob, options)))
    for (const [index, [sha256, { file, sizeBytes }]] of some.entries()) {
      if (!found[index]) {
        missing.push(sha256)
        continue
      }
      await catalog.add({ name: file, kind: 'blob', sizeBytes, sha256 })
      tally.counts.blobs++
      tally.counts.blobBytes += sizeBytes
    }
  }
  return missing
}

/** @returns whether it is there now */
async function writeBlob(
  stores: BlobStores,
  { files }: Output,
  [sha256, use]: [string, BlobUse],
  { allowIncomplete, onBytes = () => {} }: BlobsOptions,
): Promise<boolean> {
  const written = { name: use.file, sizeBytes: use.sizeBytes, sha256 }
  if (await files.hasSame(written.name, written)) {
    onBytes(use.sizeBytes)
    return true
  }
  const wrong = await putFrom(() => openEither(stores, sha256, use), { files, written, onBytes })
  if (wrong === null) return true
  await files.remove(written.name)
  if (allowIncomplete) return false
  throw new Rm3Error(
    'BACKUP_INCOMPLETE',
    `the bytes of the blob ${sha256} ${wrong}; --allow-incomplete makes a backup that says so`,
    { sha256 },
  )
}

/** That the store cannot be read, while what is written can be written. */
class Unreadable extends Error {}

/** @returns what is wrong with the blob; null when it was written whole */
async function putFrom(
  open: () => Promise<Readable | null>,
  {
    files,
    written: { name, sizeBytes, sha256 },
    onBytes,
  }: {
    files: Output['files']
    written: Written & { name: string }
    onBytes: (count: number) => void
  },
): Promise<string | null> {
  let source: Readable | null = null
  try {
    source = await open()
    if (source === null) return 'are not there'
    const written = await files.putPieces(name, counted(source, onBytes))
    return written.sha256 === sha256 && written.sizeBytes === sizeBytes ? null : 'are damaged'
  } catch (thrown) {
    if (thrown instanceof Unreadable) return thrown.message
    throw thrown
  } finally {
    source?.destroy() // where the file could not be opened nobody has read it
  }
}

async function openEither(
  stores: BlobStores,
  sha256: string,
  use: BlobUse,
): Promise<Readable | null> {
  for (const category of ['public', 'private'] as const) {
    if (!use[category]) continue
    try {
      return (await openBlob(stores[category], sha256)).stream
    } catch (thrown) {
      if (!isRm3Error(thrown, 'BLOB_MISSING')) throw unreadable(thrown)
    }
  }
  return null
}

async function* counted(
  source: Readable,
  onBytes: (count: number) => void,
): AsyncIterable<Uint8Array> {
  const pieces = source[Symbol.asyncIterator]()
  for (;;) {
    const { value, done } = await pieces.next().catch(thrown => {
      throw unreadable(fileError(thrown))
    })
    if (done) return
    onBytes((value as Uint8Array).length)
    yield value as Uint8Array
  }
}

function unreadable(error: unknown): unknown {
  return isRm3Error(error, 'FILE_FAILED')
    ? new Unreadable(`cannot be read (${error.message})`)
    : error
}
