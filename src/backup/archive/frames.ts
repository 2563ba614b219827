import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import { Rm3Error } from '../../errors.ts'

/** The first bytes of every archive; the last digit is the version of the format. */
export const MAGIC = Buffer.from('RM3ARCH1', 'latin1')

/** What a frame holds, by its first byte. */
export const FRAMES = {
  H: 'header',
  B: 'blob',
  D: 'bytes of a blob',
  S: 'secrets',
  E: 'events',
  Z: 'end',
} as const
export type FrameType = keyof typeof FRAMES

export interface Frame {
  readonly type: FrameType
  readonly body: Buffer
  /** Whether it may be worth compressing; true when not said. */
  readonly compress?: boolean
}

/** type, coding, two bytes of zero, length as stored, length unpacked, checksum */
const HEAD_BYTES = 12
const CHECKSUM_BYTES = 32
const STORED = 0
const DEFLATED = 1
const MEGABYTE = 1024 * 1024
/** Most bytes of a body, unpacked: an event has a document of a few MB at most, and a bomb finds no more to fill. */
export const BODY_BYTES_MAX = 64 * MEGABYTE
/** Of all types but `E`. */
const OTHER_BYTES_MAX: Readonly<Partial<Record<FrameType, number>>> = {
  ...{ H: MEGABYTE, B: MEGABYTE, D: MEGABYTE, S: 16 * MEGABYTE, Z: MEGABYTE },
}
const DEFLATE_FROM_BYTES = 256
/** Higher levels take twice the time for some percent. */
const LEVEL = 1

const deflating = promisify(deflateRaw)
const inflating = promisify(inflateRaw)

/** A frame on its way out, compressed where that makes it shorter. */
export interface PackedFrame {
  readonly head: Buffer
  readonly body: Buffer
}

/** Compresses a frame, beside what this thread does. */
export async function packFrame({ type, body, compress = true }: Frame): Promise<PackedFrame> {
  if (body.length > BODY_BYTES_MAX) throw new Error(`a frame of ${body.length} bytes`)
  const isTried = compress && body.length >= DEFLATE_FROM_BYTES
  const deflated = isTried ? ((await deflating(body, { level: LEVEL })) as Buffer) : body
  const isShorter = deflated.length < body.length
  const stored = isShorter ? deflated : body
  const head = Buffer.alloc(HEAD_BYTES)
  head.write(type, 0, 'latin1')
  head[1] = isShorter ? DEFLATED : STORED
  head.writeUInt32BE(stored.length, 4)
  head.writeUInt32BE(body.length, 8)
  return { head, body: stored }
}

/**
 * Gives frames their checksums, which are chained: SHA-256 of the checksum before (of the first frame: of the magic bytes), the frame's
 * head and its body. So the last one stands for the whole archive, and no frame can be changed, left out, doubled or moved unnoticed.
 */
export class FrameChain {
  #last = sha256(MAGIC)

  /** The checksum of the next frame. */
  next(head: Buffer, body: Buffer): Buffer {
    this.#last = sha256(this.#last, head, body)
    return this.#last
  }
}

function sha256(...parts: Buffer[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Where a frame is, for messages. */
export interface FramePlace {
  /** From 1. */
  readonly frame: number
  /** Of its first byte in the (decrypted) archive. */
  readonly offset: number
}

/** @returns an error that names the frame and its offset */
export function damagedAt(place: FramePlace, text: string, cause?: unknown): Rm3Error {
  return new Rm3Error(
    'BACKUP_DAMAGED',
    `the archive is damaged in frame ${place.frame}, which begins at byte ${place.offset}: ${text}`,
    { ...place, cause },
  )
}

/**
 * Reads frames one by one, each proved before it is given.
 *
 * @throws BACKUP_DAMAGED naming frame and offset; BACKUP_NEWER
 */
export class FrameReader {
  readonly #bytes: ByteReader
  readonly #chain = new FrameChain()
  #place: FramePlace = { frame: 0, offset: 0 }
  #begun = false

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#bytes = new ByteReader(source)
  }

  /** The place of the frame that was given last. */
  get place(): FramePlace {
    return this.#place
  }

  /** Bytes read, up to the end of that frame. */
  get offset(): number {
    return this.#bytes.offset
  }

  /** @throws also when the archive ends here: a whole one has an end frame, behind which nobody asks */
  async next(): Promise<Frame> {
    if (!this.#begun) await this.#begin()
    const place = { frame: this.#place.frame + 1, offset: this.#bytes.offset }
    this.#place = place
    const head = await this.#take(HEAD_BYTES)
    const type = head.toString('latin1', 0, 1)
    const coding = head[1]
    const length = head.readUInt32BE(4)
    const unpacked = head.readUInt32BE(8)
    const isKnown = Object.hasOwn(FRAMES, type) && (coding === STORED || coding === DEFLATED)
    if (!isKnown || head.readUInt16BE(2) !== 0) throw damagedAt(place, 'there is no frame here')
    const fits = coding === STORED ? length === unpacked : length < unpacked
    const most = OTHER_BYTES_MAX[type as FrameType] ?? BODY_BYTES_MAX
    if (!fits || unpacked > most) throw damagedAt(place, 'its length is impossible')
    const body = await this.#take(length)
    const checksum = await this.#take(CHECKSUM_BYTES)
    if (!this.#chain.next(head, body).equals(checksum)) {
      throw damagedAt(place, 'its bytes, or those of a frame before, are not what was written')
    }
    const whole = coding === STORED ? body : await this.#inflated(body, unpacked)
    return { type: type as FrameType, body: whole }
  }

  /** Demands that nothing comes any more. @throws BACKUP_DAMAGED */
  async end(): Promise<void> {
    const offset = this.#bytes.offset
    if ((await this.#bytes.take(1)) === null) return
    throw damagedAt({ frame: this.#place.frame + 1, offset }, 'there are bytes behind the end')
  }

  async #begin(): Promise<void> {
    this.#begun = true
    const magic = await this.#bytes.take(MAGIC.length)
    if (magic?.equals(MAGIC)) return
    const isOther = magic?.toString('latin1').startsWith('RM3ARCH') ?? false
    throw isOther
      ? new Rm3Error('BACKUP_NEWER', 'the archive is of a newer format; load it with a newer rm3')
      : new Rm3Error('BACKUP_DAMAGED', 'this is no archive of rm3, or its first bytes are lost', {
          offset: 0,
        })
  }

  async #take(count: number): Promise<Buffer> {
    const bytes = await this.#bytes.take(count)
    if (bytes === null) throw damagedAt(this.#place, 'the archive ends here, before its end frame')
    return bytes
  }

  async #inflated(body: Buffer, unpacked: number): Promise<Buffer> {
    const bytes = await inflating(body, { maxOutputLength: unpacked }).catch(cause => {
      throw damagedAt(this.#place, 'it cannot be decompressed', cause)
    })
    if ((bytes as Buffer).length === unpacked) return bytes as Buffer
    throw damagedAt(this.#place, 'it decompresses to another length than it says')
  }
}

/** Takes so many bytes at a time from pieces of any size. */
class ByteReader {
  /** Bytes taken. */
  offset = 0
  readonly #pieces: AsyncIterator<Uint8Array>
  #held: Buffer[] = []
  #heldBytes = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#pieces = source[Symbol.asyncIterator]()
  }

  /** @returns null when fewer are left */
  async take(count: number): Promise<Buffer | null> {
    while (this.#heldBytes < count) {
      const { value, done } = await this.#pieces.next()
      if (done) return null
      const piece = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      this.#held.push(piece)
      this.#heldBytes += piece.length
    }
    this.offset += count
    const [first] = this.#held
    const bytes =
      first !== undefined && first.length >= count
        ? first
        : Buffer.concat(this.#held, this.#heldBytes)
    const rest = bytes.subarray(count)
    this.#held = bytes === first ? [rest, ...this.#held.slice(1)] : [rest]
    this.#heldBytes -= count
    return bytes.subarray(0, count)
  }
}
