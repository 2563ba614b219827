import { isUtf8 } from 'node:buffer'
import { createHash, type Hash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { FileFault } from './rules.ts'

/** One line: a revision may have megabytes. */
const LINE_BYTES_MAX = 64 * 1024 * 1024
const PIECE_BYTES = 1024 * 1024
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
const LINE_FEED = 0x0a

/** A file that is being read. Its calls wait: thousands of small files are read several times faster so. */
export interface OpenFile {
  readonly fd: number
  readonly sizeBytes: number
}

/**
 * Opens a regular file, never through a link and never waiting for a pipe's other end; it is to be closed.
 *
 * @throws FileFault file-missing, file-not-regular, file-unreadable
 */
export function openFile(dir: string, name: string): OpenFile {
  let fd: number | undefined
  try {
    fd = openSync(join(dir, name), FLAGS)
    const found = fstatSync(fd)
    if (!found.isFile()) throw new FileFault('file-not-regular', 'it is no regular file')
    return { fd, sizeBytes: found.size }
  } catch (thrown) {
    if (fd !== undefined) closeSync(fd)
    throw faultOf(thrown)
  }
}

/** As `openFile`, closing it however `use` ends. */
export function withFile<Result>(
  dir: string,
  name: string,
  use: (file: OpenFile) => Result,
): Result {
  const file = openFile(dir, name)
  try {
    return use(file)
  } catch (thrown) {
    throw faultOf(thrown)
  } finally {
    closeSync(file.fd)
  }
}

function faultOf(thrown: unknown): unknown {
  const code = (thrown as NodeJS.ErrnoException | null)?.code
  const isOfSystem = thrown instanceof Error && 'syscall' in thrown && code !== undefined
  if (!isOfSystem) return thrown
  if (code === 'ENOENT') return new FileFault('file-missing', 'it is not there')
  if (code === 'ELOOP' || code === 'EMLINK' || code === 'ENXIO') {
    return new FileFault('file-not-regular', 'it is a link or something else that is no file')
  }
  return new FileFault('file-unreadable', `it cannot be read (${code})`)
}

/**
 * The bytes of a file, piece by piece; a piece is overwritten by the next.
 *
 * @throws FileFault file-size when the file has more or fewer than when it was opened
 */
export function* readPieces({ fd, sizeBytes }: OpenFile): Iterable<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, sizeBytes + 1))
  let at = 0
  for (;;) {
    const length = readSync(fd, buffer, 0, buffer.length, at)
    if (length === 0) break
    at += length
    if (at > sizeBytes) break
    yield buffer.subarray(0, length)
  }
  if (at !== sizeBytes) throw new FileFault('file-size', 'it changes while it is read')
}

/**
 * The lines of a file without their ends, as texts, several at a time.
 *
 * @param hash given every byte
 * @throws FileFault json for what is not UTF-8, for a line without bound, or when the last line has no end
 */
export function* readLines(file: OpenFile, hash: Hash = createHash('sha256')): Iterable<string[]> {
  let held: Buffer[] = []
  let heldBytes = 0
  for (const piece of readPieces(file)) {
    hash.update(piece)
    const end = piece.lastIndexOf(LINE_FEED) + 1
    if (end === 0) {
      heldBytes += piece.length
      if (heldBytes > LINE_BYTES_MAX) throw new FileFault('json', 'a line is too long')
      held.push(Buffer.from(piece))
      continue
    }
    const bytes =
      heldBytes === 0 ? piece.subarray(0, end) : Buffer.concat([...held, piece.subarray(0, end)])
    if (!isUtf8(bytes)) throw new FileFault('json', 'it is not UTF-8')
    const lines = bytes.toString('utf8', 0, bytes.length - 1).split('\n')
    held = [Buffer.from(piece.subarray(end))]
    heldBytes = piece.length - end
    yield lines
  }
  if (heldBytes > 0) throw new FileFault('json', 'it ends in the middle of a line')
}
