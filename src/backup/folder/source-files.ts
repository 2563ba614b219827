import { isUtf8 } from 'node:buffer'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { FileFault } from './rules.ts'

/** One line: a revision may have megabytes. */
const LINE_BYTES_MAX = 64 * 1024 * 1024
const PIECE_BYTES = 1024 * 1024
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
const LINE_FEED = 0x0a
const NOTHING = Buffer.alloc(0)

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
    const length = readAt(fd, buffer, at)
    if (length === 0) break
    at += length
    if (at > sizeBytes) break
    yield buffer.subarray(0, length)
  }
  if (at !== sizeBytes) throw new FileFault('file-size', 'it changes while it is read')
}

function readAt(fd: number, into: Buffer, position: number): number {
  try {
    return readSync(fd, into, 0, into.length, position)
  } catch (thrown) {
    throw faultOf(thrown)
  }
}

/**
 * The lines of a file without their ends, as texts, several at a time.
 *
 * @throws FileFault json for what is not UTF-8, for a line that is too long, or when the last line has no end
 */
export function* readLines(file: OpenFile, lineBytesMax = LINE_BYTES_MAX): Iterable<string[]> {
  const bound = new LineBound(lineBytesMax)
  let held = NOTHING
  let heldFrom = 0
  let at = 0
  for (const piece of readPieces(file)) {
    bound.add(piece)
    const end = piece.lastIndexOf(LINE_FEED) + 1
    if (end > 0) {
      const isHeld = heldFrom + held.length === at
      const rest = piece.subarray(0, end)
      const whole = held.length === 0 ? rest : Buffer.concat([held, rest])
      yield linesIn(isHeld ? whole : readAgain(file, heldFrom, at + end))
      held = Buffer.from(piece.subarray(end))
      heldFrom = at + end
    }
    at += piece.length
  }
  if (heldFrom < at) throw new FileFault('json', 'it ends in the middle of a line')
}

function linesIn(bytes: Buffer): string[] {
  if (!isUtf8(bytes)) throw new FileFault('json', 'it is not UTF-8')
  return bytes.toString('utf8', 0, bytes.length - 1).split('\n')
}

/** A line that is longer than a piece, in memory once and not twice. */
function readAgain({ fd }: OpenFile, from: number, until: number): Buffer {
  const bytes = Buffer.allocUnsafe(until - from)
  let at = 0
  while (at < bytes.length) {
    const length = readAt(fd, bytes.subarray(at), from + at)
    if (length === 0) throw new FileFault('file-size', 'it changes while it is read')
    at += length
  }
  return bytes
}

/** Refuses lines without bound, piece by piece. */
export class LineBound {
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax = LINE_BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  /** @throws FileFault json */
  add(piece: Buffer): void {
    const end = piece.lastIndexOf(LINE_FEED)
    this.#bytes += end < 0 ? piece.length : piece.indexOf(LINE_FEED)
    if (this.#bytes > this.#bytesMax) throw new FileFault('json', 'a line is too long')
    if (end >= 0) this.#bytes = piece.length - end - 1
  }
}
