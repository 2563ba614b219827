import type { Readable } from 'node:stream'
import { type BlobStores, openBlob } from '../../blobs/store.ts'
import { isRm3Error, Rm3Error } from '../../errors.ts'
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
  const { file: name, sizeBytes } = use
  if (await files.hasSame(name, { sizeBytes, sha256 })) {
    onBytes(sizeBytes)
    return true
  }
  const source = await openEither(stores, sha256, use)
  const written = source && (await putAll(files, name, source, onBytes))
  if (written?.sha256 === sha256 && written.sizeBytes === sizeBytes) return true
  if (written !== null) await files.remove(name)
  if (allowIncomplete) return false
  const what = written === null ? 'are not there' : 'are damaged'
  throw new Rm3Error(
    'BACKUP_INCOMPLETE',
    `the bytes of the blob ${sha256} ${what}; --allow-incomplete makes a backup that says so`,
    { sha256 },
  )
}

async function putAll(
  files: Output['files'],
  name: string,
  source: Readable,
  onBytes: (count: number) => void,
): Promise<Written> {
  try {
    return await files.putPieces(name, counted(source, onBytes))
  } finally {
    source.destroy() // where the file could not be opened nobody has read it
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
      if (!isRm3Error(thrown, 'BLOB_MISSING')) throw thrown
    }
  }
  return null
}

async function* counted(
  source: Readable,
  onBytes: (count: number) => void,
): AsyncIterable<Uint8Array> {
  for await (const piece of source) {
    onBytes((piece as Uint8Array).length)
    yield piece as Uint8Array
  }
}
