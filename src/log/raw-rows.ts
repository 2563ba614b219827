import { type BinaryWriter, COPY_SIGNATURE, COPY_TRAILER } from '../pg/binary.ts'
import type { RecordedEvent } from './event.ts'

/** An event as the log keeps it, with every column: what it takes to prove it, and to put it into another log. */
export interface RawEvent extends RecordedEvent {
  /** 16 bytes; null once erased, as note, meta and data then are. */
  readonly salt: Buffer | null
  /** 32 bytes. */
  readonly bodyHash: Buffer
  /** The chain value at this event, 32 bytes. */
  readonly chain: Buffer
}

/** The columns of a raw event in the order in which the functions here read and write them. */
export const RAW_COLUMNS =
  'position, event_id, stream, revision, version, type, actor, at, recorded_at, note, meta, data, salt, body_hash, chain'

const FIELDS = 15
const EPOCH_2000_MS = 946_684_800_000
const UINT32 = 4_294_967_296

/** Events of what COPY gives in binary, as they come in: a batch holds those that a piece of it completes. */
export async function* parseRawRows(pieces: AsyncIterable<Buffer>): AsyncIterable<RawEvent[]> {
  let held: Buffer[] = []
  let heldBytes = 0
  let wanted = COPY_SIGNATURE.length
  let isBegun = false
  for await (const piece of pieces) {
    held.push(piece)
    heldBytes += piece.length
    // of a row with megabytes nothing is looked at, or copied together, before all of it may be there
    if (heldBytes < wanted) continue
    const bytes = held.length === 1 ? piece : Buffer.concat(held, heldBytes)
    const rows = new RowReader(bytes, isBegun ? 0 : COPY_SIGNATURE.length)
    isBegun = true
    const events: RawEvent[] = []
    for (let event = rows.next(); event !== null; event = rows.next()) events.push(event)
    const rest = bytes.subarray(rows.end)
    held = [rest]
    heldBytes = rest.length
    wanted = rows.wanted - rows.end
    if (events.length > 0) yield events
  }
}

/** Reads whole rows out of a piece. */
class RowReader {
  readonly #bytes: Buffer
  /** Where the first row begins that is not whole. */
  end: number
  /** The length that the piece must have for more to be told of that row. */
  wanted: number
  #at = 0

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes
    this.end = start
    this.wanted = start
  }

  next(): RawEvent | null {
    if (!this.#isWhole()) return null
    this.#at = this.end + 2
    const event = {
      position: this.#int8(),
      eventId: this.#uuid(),
      stream: this.#uuid(),
      revision: this.#int(),
      version: this.#int(),
      type: this.#text() as string,
      actor: this.#text() as string,
      at: this.#instant(),
      recordedAt: this.#instant(),
      note: this.#text(),
      meta: this.#text(),
      data: this.#text(),
      salt: this.#raw(),
      bodyHash: this.#raw() as Buffer,
      chain: this.#raw() as Buffer,
    }
    this.end = this.#at
    return event
  }

  #isWhole(): boolean {
    const bytes = this.#bytes
    let at = this.end
    if (bytes.length < at + 2) return this.#wants(at + 2)
    if (bytes.readInt16BE(at) !== FIELDS) return this.#wants(Number.POSITIVE_INFINITY)
    at += 2
    for (let field = 0; field < FIELDS; field++) {
      if (bytes.length < at + 4) return this.#wants(at + 4)
      at += 4 + Math.max(bytes.readInt32BE(at), 0)
    }
    return bytes.length >= at || this.#wants(at)
  }

  /** After the last row stands -1: nothing more is wanted. */
  #wants(length: number): false {
    this.wanted = length
    return false
  }

  #length(): number {
    const length = this.#bytes.readInt32BE(this.#at)
    this.#at += 4
    return length
  }

  #int(): number {
    const length = this.#length()
    const value = this.#bytes.readIntBE(this.#at, length)
    this.#at += length
    return value
  }

  #int8(): number {
    this.#at += 4
    const value =
      this.#bytes.readInt32BE(this.#at) * UINT32 + this.#bytes.readUInt32BE(this.#at + 4)
    this.#at += 8
    if (!Number.isSafeInteger(value)) throw new Error('int8 out of the safe range')
    return value
  }

  #instant(): string {
    this.#at += 4
    const high = this.#bytes.readInt32BE(this.#at)
    const low = this.#bytes.readUInt32BE(this.#at + 4)
    this.#at += 8
    const micros = high * UINT32 + low
    const ms = Number.isSafeInteger(micros)
      ? micros / 1000
      : Number((BigInt(high) * BigInt(UINT32) + BigInt(low)) / 1000n)
    return instantText(EPOCH_2000_MS + ms)
  }

  #uuid(): string {
    const hex = this.#bytes.toString('hex', this.#at + 4, this.#at + 20)
    this.#at += 20
    return uuidOfHex(hex)
  }

  #text(): string | null {
    const length = this.#length()
    if (length < 0) return null
    const start = this.#at
    this.#at += length
    return this.#bytes.toString('utf8', start, this.#at)
  }

  #raw(): Buffer | null {
    const length = this.#length()
    if (length < 0) return null
    const start = this.#at
    this.#at += length
    return this.#bytes.subarray(start, this.#at)
  }
}

const DAY_MS = 86_400_000
const TIME_CHARS = 'hh:mm:ss.mmmZ'.length
const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'))
const THREE_DIGITS = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'))
let lastMs = Number.NaN
let lastInstant = ''
let lastDay = Number.NaN
let lastDate = ''

/**
 * RFC 3339 of milliseconds since 1970, cut at whole ones. The last one is remembered: mostly an event is recorded when it happens, and those of one
 * append at once; and the day is, for a date takes longer than all else.
 */
export function instantText(ms: number): string {
  if (ms !== lastMs) {
    lastInstant = textOfInstant(Math.trunc(ms))
    lastMs = ms
  }
  return lastInstant
}

function textOfInstant(ms: number): string {
  const day = Math.floor(ms / DAY_MS)
  if (day !== lastDay) {
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, -TIME_CHARS)
    lastDay = day
  }
  const time = ms - day * DAY_MS
  const seconds = Math.floor(time / 1000)
  const minutes = Math.floor(seconds / 60)
  const hour = TWO_DIGITS[Math.floor(minutes / 60)]
  return `${lastDate}${hour}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[seconds % 60]}.${THREE_DIGITS[time % 1000]}Z`
}

/** A UUID as text. @param hex 32 digits */
export function uuidOfHex(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/**
 * Events in the format that `copy log (RAW_COLUMNS) from stdin (format binary)` takes.
 *
 * @param writer is used again for each batch
 * @returns pieces of their own, which may be kept
 */
export async function* formatRawRows(
  writer: BinaryWriter,
  batches: AsyncIterable<readonly RawEvent[]>,
): AsyncIterable<Buffer> {
  yield COPY_SIGNATURE
  for await (const batch of batches) {
    writer.reset()
    for (const event of batch) {
      writeRow(writer, event)
      if (writer.end < PIECE_BYTES) continue
      yield Buffer.from(writer.slice(0, writer.end))
      writer.reset()
    }
    yield Buffer.from(writer.slice(0, writer.end))
  }
  yield COPY_TRAILER
}

const PIECE_BYTES = 1024 * 1024

function writeRow(writer: BinaryWriter, event: RawEvent): void {
  writer.raw2(FIELDS)
  writer.int8(event.position)
  writer.uuid(event.eventId)
  writer.uuid(event.stream)
  writer.int4(event.revision)
  writer.int2(event.version)
  writer.text(event.type)
  writer.text(event.actor)
  writer.instant(event.at)
  writer.instant(event.recordedAt)
  for (const text of [event.note, event.meta, event.data]) {
    if (text === null) writer.null()
    else writer.text(text)
  }
  for (const bytes of [event.salt, event.bodyHash, event.chain]) {
    if (bytes === null) writer.null()
    else writer.bytea(bytes)
  }
}
