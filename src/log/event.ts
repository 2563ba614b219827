import { hash, randomBytes } from 'node:crypto'

/**
 * An event on its way into the log. The log knows streams and text, not content: `data` and `meta` are JSON as they shall be kept,
 * byte for byte.
 */
export interface LogEntry {
  readonly eventId: string
  readonly stream: string
  /** The place in the stream that the writer expects to fill, from 1: one more than the revision it saw last. */
  readonly revision: number
  readonly type: string
  /** Version of the payload's shape, from 1. */
  readonly version: number
  readonly actor: string
  /** When it happened: RFC 3339, UTC, milliseconds. */
  readonly at: string
  readonly note: string | null
  readonly meta: string
  readonly data: string
  /** Only a load into an empty site gives it: the instant at which the log shall seem to have taken the event. */
  readonly recordedAt?: string
}

/** An event as the log has it. `meta` and `data` are null once erased. */
export interface RecordedEvent {
  readonly position: number
  readonly eventId: string
  readonly stream: string
  readonly revision: number
  readonly type: string
  readonly version: number
  readonly actor: string
  readonly at: string
  readonly recordedAt: string
  readonly note: string | null
  readonly meta: string | null
  readonly data: string | null
}

const SALT_BYTES = 16
/** Random bytes are drawn for many salts at once: the call costs more than the bytes. */
const POOL_BYTES = SALT_BYTES * 256
let pool = Buffer.alloc(0)

/** 16 random bytes, so that what was erased cannot be guessed from its hash. */
export function newSalt(): Buffer {
  if (pool.length === 0) pool = randomBytes(POOL_BYTES)
  const salt = pool.subarray(0, SALT_BYTES)
  pool = pool.subarray(SALT_BYTES)
  return salt
}

/**
 * SHA-256 of the erasable part of an event: the salt, then note, meta and data, each with its length in bytes as
 * four bytes, big-endian, before it (all ones for null).
 */
export function bodyHash(
  salt: Buffer,
  note: string | null,
  meta: string | null,
  data: string | null,
): Buffer {
  const units = (note?.length ?? 0) + (meta?.length ?? 0) + (data?.length ?? 0)
  const most = salt.length + FIELDS * 4 + UNIT_BYTES * units
  const bytes = most <= scratch.length ? scratch : Buffer.allocUnsafe(most)
  let end = salt.copy(bytes)
  end = writeField(bytes, note, end)
  end = writeField(bytes, meta, end)
  end = writeField(bytes, data, end)
  return hash('sha256', bytes.subarray(0, end), 'buffer')
}

/** Most bytes of UTF-8 that a unit of a text takes. */
const UNIT_BYTES = 3
const FIELDS = 3
/** What is hashed is put together here: a buffer for each event would cost more than its bytes. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024)

function writeField(bytes: Buffer, text: string | null, at: number): number {
  if (text === null) return bytes.writeUInt32BE(0xffffffff, at)
  const length = bytes.write(text, at + 4)
  bytes.writeUInt32BE(length, at)
  return at + 4 + length
}
