import { Rm3Error } from '../errors.ts'
import { msOfInstant } from './instant.ts'

/** What COPY's binary format begins with: signature, flags and the length of an extension (PostgreSQL manual, COPY, "Binary Format"). */
export const COPY_SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')

/** What it ends with: the number of fields of a row that is none. */
export const COPY_TRAILER = Buffer.from([0xff, 0xff])

const INITIAL_BYTES = 64 * 1024
/** Shorter texts are copied here: the call that copies a longer one costs more than their bytes. */
const SHORT_TEXT = 40
const UTF8_BYTES_MAX = 3
const EPOCH_2000_MS = 946_684_800_000
const UINT32 = 4_294_967_296
const NULL_LENGTH = -1
const NO_DIGIT = 255
export const HEX_DIGITS = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase())
  return digit < 0 ? NO_DIGIT : digit
})

const UUID_BYTES = 16
const UUID_CHARS = 36
/** The one that was written last: rows of one entity come one after the other. */
let lastUuid = ''
const lastBytes = new Uint8Array(UUID_BYTES)

function readUuid(value: string): boolean {
  lastUuid = ''
  if (value.length !== UUID_CHARS) return false
  let at = 0
  for (let byte = 0; byte < UUID_BYTES; byte++) {
    if (byte === 4 || byte === 6 || byte === 8 || byte === 10) at++
    const high = HEX_DIGITS[value.charCodeAt(at++)] ?? NO_DIGIT
    const low = HEX_DIGITS[value.charCodeAt(at++)] ?? NO_DIGIT
    if (high === NO_DIGIT || low === NO_DIGIT) return false
    lastBytes[byte] = high * 16 + low
  }
  lastUuid = value
  return true
}

/**
 * Parameters in PostgreSQL's binary format (send and receive functions, src/backend/utils/adt), one after the other in one buffer
 * that grows and is used again. Each value has its length in bytes before it, -1 for null.
 */
export class BinaryWriter {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  #end = 0

  /** Where the next value goes. */
  get end(): number {
    return this.#end
  }

  /** Forgets all that was written; what `slice` gave is no longer valid. */
  reset(): void {
    this.#end = 0
  }

  /** Forgets what was written from `end` on. */
  cut(end: number): void {
    this.#end = end
  }

  /** What was written from `start` to `end`, valid until the next value or `reset`. */
  slice(start: number, end: number): Buffer {
    return this.#bytes.subarray(start, end)
  }

  /** A number without a length before it: counts, type oids. */
  raw(value: number): void {
    this.#reserve(4)
    this.#int32(value)
  }

  /** As `raw`, of two bytes: the number of a row's fields in COPY. */
  raw2(value: number): void {
    this.#reserve(2)
    this.#bytes[this.#end++] = value >>> 8
    this.#bytes[this.#end++] = value
  }

  /** Bytes without their length. */
  rawBytes(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#end)
    this.#end += value.length
  }

  /** A text without its length. */
  rawText(value: string): void {
    this.#reserve(value.length * UTF8_BYTES_MAX)
    this.#end += this.#bytes.write(value, this.#end)
  }

  null(): void {
    this.raw(NULL_LENGTH)
  }

  /** Begins a value of several parts. @returns what `close` needs */
  open(): number {
    this.raw(0)
    return this.#end
  }

  /** Ends a value of several parts: its length is known now. */
  close(opened: number): void {
    this.#bytes.writeInt32BE(this.#end - opened, opened - 4)
  }

  bool(value: boolean): void {
    this.#reserve(5)
    this.#int32(1)
    this.#bytes[this.#end++] = value ? 1 : 0
  }

  int2(value: number): void {
    this.#reserve(6)
    this.#int32(2)
    this.#end = this.#bytes.writeInt16BE(value, this.#end)
  }

  int4(value: number): void {
    this.#reserve(8)
    this.#int32(4)
    this.#end = this.#bytes.writeInt32BE(value, this.#end)
  }

  /** @param value a safe integer */
  int8(value: number): void {
    const high = Math.floor(value / UINT32)
    this.#int64(high, value - high * UINT32)
  }

  /** @param value RFC 3339, to the millisecond @throws REQUEST_INVALID when it is none */
  instant(value: string): void {
    this.instantMs(msOfInstant(value), value)
  }

  /** @param ms since 1970, of the instant that `value` says @throws REQUEST_INVALID when it is not a number */
  instantMs(ms: number, value: string): void {
    if (Number.isNaN(ms)) throw malformed('instant', value)
    // Microseconds do not fit a number beyond the year 2285, so they are made in halves.
    const high = Math.floor((ms - EPOCH_2000_MS) / UINT32)
    const low = (ms - EPOCH_2000_MS - high * UINT32) * 1000
    const carry = Math.floor(low / UINT32)
    this.#int64(high * 1000 + carry, low - carry * UINT32)
  }

  /** @throws REQUEST_INVALID when it is none */
  uuid(value: string): void {
    if (!this.writesUuid(value)) throw malformed('uuid', value)
  }

  /** As `uuid`. @returns whether it is one; else nothing is written */
  writesUuid(value: string): boolean {
    this.#reserve(4 + UUID_BYTES)
    if (value !== lastUuid && !readUuid(value)) return false
    this.#int32(UUID_BYTES)
    const end = this.#end
    for (let byte = 0; byte < UUID_BYTES; byte++)
      this.#bytes[end + byte] = lastBytes[byte] as number
    this.#end = end + UUID_BYTES
    return true
  }

  bytea(value: Uint8Array): void {
    this.raw(value.length)
    this.rawBytes(value)
  }

  text(value: string): void {
    const { length } = value
    this.#reserve(4 + length * UTF8_BYTES_MAX)
    if (length < SHORT_TEXT && this.#ascii(value)) return
    const start = this.#end + 4
    const bytes = this.#bytes.write(value, start)
    this.#int32(bytes)
    this.#end = start + bytes
  }

  /** Whether the text was ASCII, and so was written. */
  #ascii(value: string): boolean {
    const { length } = value
    const bytes = this.#bytes
    const start = this.#end + 4
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index)
      if (code > 127) return false
      bytes[start + index] = code
    }
    this.#int32(length)
    this.#end = start + length
    return true
  }

  #int64(high: number, low: number): void {
    this.#reserve(12)
    this.#int32(8)
    this.#int32(high)
    this.#int32(low)
  }

  #int32(value: number): void {
    const bytes = this.#bytes
    const end = this.#end
    bytes[end] = value >>> 24
    bytes[end + 1] = value >>> 16
    bytes[end + 2] = value >>> 8
    bytes[end + 3] = value
    this.#end = end + 4
  }

  #reserve(sizeBytes: number): void {
    const needed = this.#end + sizeBytes
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length))
    this.#bytes.copy(larger, 0, 0, this.#end)
    this.#bytes = larger
  }
}

function malformed(type: string, value: string): Rm3Error {
  return new Rm3Error('REQUEST_INVALID', `"${value.slice(0, 60)}" is no ${type}`)
}
