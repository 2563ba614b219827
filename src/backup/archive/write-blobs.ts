import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { type BlobStores, openBlob, verifyBlob } from '../../blobs/store.ts'
import { toMessagePack } from '../../codec/message-pack.ts'
import { isRm3Error, Rm3Error } from '../../errors.ts'
import { fileError } from '../../file-error.ts'
import type { Bulk } from '../../pg/bulk.ts'
import type { Db } from '../../pg/db.ts'
import type { ArchivedBlob, ArchiveHeader } from './contents.ts'
import type { ArchiveOutput } from './output.ts'
import type { WriteArchiveOptions } from './write.ts'

const PIECE_BYTES = 1024 * 1024
const SAMPLE_BYTES = 16 * 1024
const WORTH = 0.9

const BLOBS = `select distinct data->>'sha256' as sha256, data->>'category' as category, (data->>'sizeBytes')::bigint as "sizeBytes"
  from log where type = 'BlobAttached' and position > $1::bigint and position <= $2::bigint and data is not null
  order by 1, 2`

/** The blobs that events of a range speak of, by hash; one that is both public and private comes twice. */
export async function listBlobs(
  db: Db,
  { after, until }: { after: number; until: number },
): Promise<ArchivedBlob[]> {
  return db.rows<ArchivedBlob>(BLOBS, [after, until])
}

interface Source {
  readonly bulk: Bulk
  readonly blobs: BlobStores
  readonly header: ArchiveHeader
}

/** Writes blobs, reading each once and proving it on the way. @throws BLOB_MISSING, also for one whose bytes are not what its name says */
export async function writeBlobs(
  output: ArchiveOutput,
  { bulk, blobs, header: { parent, head } }: Source,
  options: Pick<WriteArchiveOptions, 'allowIncomplete' | 'onProgress' | 'signal'>,
): Promise<{ blobs: number; blobBytes: number; missingBlobs: number }> {
  const listed = await listBlobs(bulk.db, { after: parent.position, until: head.position })
  const counts = { blobs: 0, blobBytes: 0, missingBlobs: 0 }
  for (const [index, blob] of listed.entries()) {
    options.signal?.throwIfAborted()
    if (await isThere(blobs, blob, options.allowIncomplete === true)) {
      await writeBlob(output, blobs, blob)
      counts.blobs++
      counts.blobBytes += blob.sizeBytes
    } else if (options.allowIncomplete) {
      await output.add({ type: 'B', body: toMessagePack({ ...blob, missing: true }) })
      counts.missingBlobs++
    } else {
      throw missing(blob)
    }
    options.onProgress?.('files', index + 1, listed.length)
  }
  return counts
}

/** @param isProved whether all of it is read, so that a damaged one can be left out before anything of it is written */
async function isThere(blobs: BlobStores, blob: ArchivedBlob, isProved: boolean): Promise<boolean> {
  const store = blobs[blob.category]
  try {
    const { stream, sizeBytes } = await openBlob(store, blob.sha256)
    stream.destroy()
    return sizeBytes === blob.sizeBytes && (!isProved || (await verifyBlob(store, blob.sha256)))
  } catch (thrown) {
    const error = fileError(thrown)
    if (isRm3Error(error, 'BLOB_MISSING')) return false
    if (isRm3Error(error, 'FILE_FAILED') && isProved) return false
    throw error
  }
}

function missing({ sha256, category }: ArchivedBlob): Rm3Error {
  return new Rm3Error(
    'BLOB_MISSING',
    `the ${category} blob ${sha256} is not in the store as it was put there; --allow-incomplete saves the rest, and says in the archive what is missing`,
    { sha256, category },
  )
}

async function writeBlob(
  output: ArchiveOutput,
  blobs: BlobStores,
  blob: ArchivedBlob,
): Promise<void> {
  await output.add({ type: 'B', body: toMessagePack(blob) })
  const { stream } = await openBlob(blobs[blob.category], blob.sha256)
  const hash = createHash('sha256')
  let compress: boolean | null = null
  for await (const piece of piecesOf(stream)) {
    hash.update(piece)
    compress ??= isCompressible(piece)
    await output.add({ type: 'D', body: piece, compress })
  }
  if (hash.digest('hex') !== blob.sha256) throw missing(blob)
}

/** Pieces of one size, the last one shorter. */
async function* piecesOf(stream: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let held: Buffer[] = []
  let heldBytes = 0
  for await (const bytes of stream) {
    held.push(bytes)
    heldBytes += bytes.length
    if (heldBytes < PIECE_BYTES) continue
    const all = Buffer.concat(held, heldBytes)
    yield all.subarray(0, PIECE_BYTES)
    held = [all.subarray(PIECE_BYTES)]
    heldBytes = all.length - PIECE_BYTES
  }
  if (heldBytes > 0) yield Buffer.concat(held, heldBytes)
}

/** Whether a blob is worth compressing, by its first bytes: pictures and films are not, and would take most of the time. */
function isCompressible(piece: Buffer): boolean {
  const sample = piece.subarray(0, SAMPLE_BYTES)
  return deflateRawSync(sample, { level: 1 }).length < WORTH * sample.length
}
