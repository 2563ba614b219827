import { createHash, randomUUID } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { Rm3Error } from '../errors.ts'
import { fileError } from '../file-error.ts'
import { SNIFF_BYTES, sniffMediaType } from './media-type.ts'

/** A folder of files named by their SHA-256: `<first two digits>/<64 digits>`. What users called them is in the log. */
export interface BlobStore {
  readonly folder: string
}

/** Where blobs anyone may see are, and where those behind a permission. */
export interface BlobStores {
  readonly public: BlobStore
  readonly private: BlobStore
}

export interface StoredBlob {
  /** 64 hexadecimal digits, in lower case. */
  readonly sha256: string
  readonly sizeBytes: number
  /** By its content; see `media-type.ts`. */
  readonly mediaType: string
}

/** Bytes, from `from` to before `until`. */
export interface ByteRange {
  readonly from: number
  readonly until: number
}

const PARTIAL = /^incoming-[0-9a-f-]{36}$/
/** Never waiting for the other end of a pipe. */
const AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
/** And never through a link. */
const REGULAR = AT_ONCE | (constants.O_NOFOLLOW ?? 0)
const SHA256 = /^[0-9a-f]{64}$/

/** A store in a folder, which is made when it is not there. */
export async function openBlobStore(folder: string): Promise<BlobStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return { folder }
}

/**
 * Keeps bytes under their SHA-256, on disk when it fulfils. Bytes that are there already are written again just the same: that
 * mends a damaged file, and takes no other time than new ones do.
 *
 * @param source the bytes, or the regular file that has them
 * @param sizeBytesMax most bytes that are taken
 * @throws BODY_TOO_LARGE, SOURCE_NOT_FOUND, SOURCE_DAMAGED for what is no regular file, DISK_FULL, FILE_FAILED, what the source throws; then
 *   nothing is kept
 */
export async function putBlob(
  store: BlobStore,
  source: AsyncIterable<Uint8Array> | string,
  sizeBytesMax = Number.POSITIVE_INFINITY,
): Promise<StoredBlob> {
  const partial = join(store.folder, `incoming-${randomUUID()}`)
  try {
    const stored = await writePartial(partial, bytesOf(source), sizeBytesMax)
    const place = placeOf(store, stored.sha256)
    await giveName(store, partial, place)
    return stored
  } catch (thrown) {
    await rm(partial, { force: true })
    throw thrown
  }
}

async function giveName({ folder }: BlobStore, partial: string, place: string): Promise<void> {
  try {
    if ((await mkdir(dirname(place), { recursive: true, mode: 0o700 })) !== undefined) {
      await syncFolder(folder)
    }
    await rename(partial, place)
    await syncFolder(dirname(place))
  } catch (thrown) {
    throw fileError(thrown, place)
  }
}

/**
 * The bytes of a blob, or a range of them.
 *
 * @returns `sizeBytes` of the whole blob; the stream must be read or destroyed, and an error of it has the `path` of the file
 * @throws BLOB_MISSING, FILE_FAILED, REQUEST_INVALID when the range is empty or ends behind the blob
 */
export async function openBlob(
  store: BlobStore,
  sha256: string,
  range?: ByteRange,
): Promise<{ stream: Readable; sizeBytes: number }> {
  const file = await openFile(store, sha256)
  const path = placeOf(store, sha256)
  try {
    const { size: sizeBytes } = await file.stat()
    const { from, until } = range ?? { from: 0, until: sizeBytes }
    if (range && !(from >= 0 && from < until && until <= sizeBytes)) {
      throw new Rm3Error('REQUEST_INVALID', `the blob has ${sizeBytes} bytes`, { sizeBytes })
    }
    // `end` is inclusive and cannot say "no byte at all"
    const whole = range === undefined ? {} : { start: from, end: until - 1 }
    const stream = createReadStream(path, { fd: file, ...whole })
    // of an open file the system does not say what it is called
    stream.on('error', thrown => Object.assign(thrown, { path }))
    return { stream, sizeBytes }
  } catch (thrown) {
    await file.close()
    throw fileError(thrown, path)
  }
}

/** Whether a blob's bytes still have the hash they are named by. @throws BLOB_MISSING */
export async function verifyBlob(store: BlobStore, sha256: string): Promise<boolean> {
  const { stream } = await openBlob(store, sha256)
  const hash = createHash('sha256')
  for await (const bytes of stream) hash.update(bytes as Uint8Array)
  return hash.digest('hex') === sha256
}

/** Whether there is a blob of that hash. Says nothing of who may have it. */
export async function hasBlob(store: BlobStore, sha256: string): Promise<boolean> {
  if (!SHA256.test(sha256)) return false
  const found = await stat(placeOf(store, sha256)).catch(() => null)
  return found?.isFile() ?? false
}

/**
 * Removes what puts left behind whose process was killed.
 *
 * @param olderThanMs none younger is touched: it may be on its way still
 * @returns how many were removed
 */
export async function removePartials(store: BlobStore, olderThanMs: number): Promise<number> {
  let removed = 0
  for (const name of await readdir(store.folder)) {
    const path = join(store.folder, name)
    const found = PARTIAL.test(name) ? await stat(path).catch(() => null) : null
    if (found === null || Date.now() - found.mtimeMs < olderThanMs) continue
    await rm(path, { force: true })
    removed++
  }
  return removed
}

async function writePartial(
  path: string,
  source: AsyncIterable<Uint8Array>,
  sizeBytesMax: number,
): Promise<StoredBlob> {
  const file = await open(path, 'wx', 0o600).catch(thrown => {
    throw fileError(thrown, path)
  })
  const failed = (thrown: unknown) => {
    throw fileError(thrown, path)
  }
  try {
    const hash = createHash('sha256')
    const head: Uint8Array[] = []
    let sizeBytes = 0
    for await (const bytes of source) {
      if (sizeBytes < SNIFF_BYTES) head.push(bytes.slice(0, SNIFF_BYTES - sizeBytes))
      sizeBytes += bytes.length
      if (sizeBytes > sizeBytesMax) {
        throw new Rm3Error('BODY_TOO_LARGE', `a file has at most ${sizeBytesMax} bytes`, {
          sizeBytesMax,
        })
      }
      hash.update(bytes)
      await file.writeFile(bytes).catch(failed)
    }
    await file.sync().catch(failed)
    return { sha256: hash.digest('hex'), sizeBytes, mediaType: sniffMediaType(Buffer.concat(head)) }
  } finally {
    await file.close()
  }
}

async function* bytesOf(source: AsyncIterable<Uint8Array> | string): AsyncIterable<Uint8Array> {
  if (typeof source !== 'string') {
    yield* source
    return
  }
  const file = await open(source, REGULAR).catch(cause => {
    if (isCode(cause, 'ENOENT'))
      throw new Rm3Error('SOURCE_NOT_FOUND', `${source} is not there`, { cause })
    throw isCode(cause, 'ELOOP') || isCode(cause, 'EMLINK')
      ? notRegular(source, cause)
      : fileError(cause)
  })
  try {
    if (!(await file.stat()).isFile()) throw notRegular(source)
    yield* file.createReadStream({ autoClose: false })
  } catch (thrown) {
    throw fileError(thrown, source)
  } finally {
    await file.close()
  }
}

function notRegular(path: string, cause?: unknown): Rm3Error {
  return new Rm3Error('SOURCE_DAMAGED', `${path} is a link or something else that is no file`, {
    path,
    cause,
  })
}

async function openFile(store: BlobStore, sha256: string): Promise<FileHandle> {
  const missing = (cause?: unknown) =>
    new Rm3Error('BLOB_MISSING', `the bytes of the blob ${sha256.slice(0, 64)} are not there`, {
      cause,
    })
  if (!SHA256.test(sha256)) throw missing()
  return open(placeOf(store, sha256), AT_ONCE).catch(cause => {
    throw isCode(cause, 'ENOENT') ? missing(cause) : fileError(cause)
  })
}

function placeOf(store: BlobStore, sha256: string): string {
  return join(store.folder, sha256.slice(0, 2), sha256)
}

/** A rename is on disk only once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && (thrown as { code?: unknown }).code === code
}
