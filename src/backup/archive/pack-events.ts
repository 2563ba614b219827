import { fromMessagePack, toMessagePack } from '../../codec/message-pack.ts'
import { chainLink } from '../../log/chain.ts'
import { bodyHash } from '../../log/event.ts'
import { instantText, type RawEvent, uuidOfHex } from '../../log/raw-rows.ts'
import { HEX_DIGITS } from '../../pg/binary.ts'
import { msOfInstant } from '../../pg/instant.ts'
import { objectIn } from '../folder/read-history.ts'

const UUID_BYTES = 16
const SALT_BYTES = 16
const HASH_BYTES = 32
const NO_SALT = Buffer.alloc(SALT_BYTES)

/** Events that follow one another, column by column: so the same things stand together, and compress. */
interface Columns {
  /** Of the first; the others follow without a gap. */
  readonly position: number
  /** 16 bytes an event, as `stream` and `salt`; a salt of zeroes where the event is erased. */
  readonly eventId: Uint8Array
  readonly stream: Uint8Array
  readonly revision: readonly number[]
  readonly type: readonly string[]
  readonly version: readonly number[]
  readonly actor: readonly string[]
  /** Milliseconds since 1970. */
  readonly at: readonly number[]
  readonly recordedAt: readonly number[]
  readonly note: readonly (string | null)[]
  /** Null once erased, as data is. */
  readonly meta: readonly (string | null)[]
  readonly data: readonly (string | null)[]
  readonly salt: Uint8Array
  /** 32 bytes for each erased event, in their order: the hashes of what they held. All others follow from the columns. */
  readonly bodyHash: Uint8Array
}

/** The body of a frame of events. @param events of consecutive positions, at least one */
export function packEvents(events: readonly RawEvent[]): Buffer {
  const at = events.map(event => msOfInstant(event.at))
  const columns: Columns = {
    position: events[0]?.position ?? 0,
    eventId: uuidBytes(events.map(({ eventId }) => eventId)),
    stream: uuidBytes(events.map(({ stream }) => stream)),
    revision: events.map(({ revision }) => revision),
    type: events.map(({ type }) => type),
    version: events.map(({ version }) => version),
    actor: events.map(({ actor }) => actor),
    at,
    recordedAt: events.map(({ recordedAt }, index) =>
      recordedAt === events[index]?.at ? (at[index] as number) : msOfInstant(recordedAt),
    ),
    note: events.map(({ note }) => note),
    meta: events.map(({ meta }) => meta),
    data: events.map(({ data }) => data),
    salt: Buffer.concat(events.map(({ salt }) => salt ?? NO_SALT)),
    bodyHash: Buffer.concat(events.flatMap(event => (event.salt === null ? event.bodyHash : []))),
  }
  return toMessagePack(columns)
}

const DASH = 0x2d

/** One after the other: half the time of joining them and taking the dashes out. */
function uuidBytes(uuids: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(uuids.length * UUID_BYTES)
  let end = 0
  for (const uuid of uuids) {
    for (let at = 0; at < uuid.length; at += 2) {
      if (uuid.charCodeAt(at) === DASH) at++
      const high = HEX_DIGITS[uuid.charCodeAt(at)] as number
      bytes[end++] = high * 16 + (HEX_DIGITS[uuid.charCodeAt(at + 1)] as number)
    }
  }
  return bytes
}

/**
 * The events that `packEvents` packed, with the hashes and chain values that follow.
 *
 * @param chain the chain value before them
 * @throws an Error saying what is wrong: the columns are not of these types or of one length
 */
export function unpackEvents(body: Uint8Array, chain: Buffer): RawEvent[] {
  const columns = checkedColumns(fromMessagePack(body))
  const { length } = columns.data
  const eventIds = uuidTexts(columns.eventId, length)
  const streams = uuidTexts(columns.stream, length)
  const salts = bufferOf(columns.salt)
  const hashes = bufferOf(columns.bodyHash)
  const events: RawEvent[] = []
  let erased = 0
  let before = chain
  for (let index = 0; index < length; index++) {
    const ids = { eventId: eventIds[index] as string, stream: streams[index] as string }
    const event = eventAt(columns, index, ids)
    const salt = salts.subarray(index * SALT_BYTES, (index + 1) * SALT_BYTES)
    if (salt.equals(NO_SALT)) {
      event.bodyHash = hashes.subarray(erased * HASH_BYTES, ++erased * HASH_BYTES)
      demandErased(event)
    } else {
      event.salt = salt
      event.bodyHash = bodyHash(salt, event.note, event.meta, event.data)
      demandKept(event)
    }
    before = chainLink(before, event, event.bodyHash)
    event.chain = before
    events.push(event)
  }
  if (erased * HASH_BYTES !== hashes.length) throw new Error('there are more hashes than events')
  return events
}

/** JSON that rm3 does not keep could be saved by no folder. */
function demandKept({ position, meta, data }: RawEvent): void {
  for (const [name, text] of Object.entries({ meta, data })) {
    if (text === null) throw new Error('an event is erased in part')
    try {
      objectIn(text)
    } catch (thrown) {
      throw new Error(`${name} of the event at position ${position}: ${messageOf(thrown)}`)
    }
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

function demandErased({ note, meta, data, bodyHash: hash }: RawEvent): void {
  if (note !== null || meta !== null || data !== null) throw new Error('an event is erased in part')
  if (hash.length !== HASH_BYTES) throw new Error('the hash of an erased event is missing')
}

/** An event without what follows from its columns: an object is made once, and filled. */
type Unhashed = { -readonly [Member in keyof RawEvent]: RawEvent[Member] }

function eventAt(
  columns: Columns,
  index: number,
  ids: { eventId: string; stream: string },
): Unhashed {
  return {
    position: columns.position + index,
    eventId: ids.eventId,
    stream: ids.stream,
    revision: columns.revision[index] as number,
    version: columns.version[index] as number,
    type: columns.type[index] as string,
    actor: columns.actor[index] as string,
    at: instantText(columns.at[index] as number),
    recordedAt: instantText(columns.recordedAt[index] as number),
    note: columns.note[index] as string | null,
    meta: columns.meta[index] as string | null,
    data: columns.data[index] as string | null,
    salt: null,
    bodyHash: NO_SALT,
    chain: NO_SALT,
  }
}

function uuidTexts(bytes: Uint8Array, count: number): string[] {
  const hex = bufferOf(bytes).toString('hex')
  return Array.from({ length: count }, (_, index) =>
    uuidOfHex(hex.slice(index * 2 * UUID_BYTES, (index + 1) * 2 * UUID_BYTES)),
  )
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const FIRST_MS = Date.parse('0001-01-01T00:00:00.000Z')
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z')
const isOf = (least: number, most: number) => (value: unknown) =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
const isText = (value: unknown) => typeof value === 'string'
const isTextOrNull = (value: unknown) => value === null || typeof value === 'string'
const LISTS: Readonly<Record<string, (value: unknown) => boolean>> = {
  revision: isOf(1, 2 ** 31 - 1),
  type: isText,
  version: isOf(1, 2 ** 15 - 1),
  actor: isText,
  at: isOf(FIRST_MS, LAST_MS),
  recordedAt: isOf(FIRST_MS, LAST_MS),
  note: isTextOrNull,
  meta: isTextOrNull,
  data: isTextOrNull,
}
const FIXED: Readonly<Record<string, number>> = {
  eventId: UUID_BYTES,
  stream: UUID_BYTES,
  salt: SALT_BYTES,
}

/** What MessagePack held, when it is columns of one length. */
function checkedColumns(value: unknown): Columns {
  if (typeof value !== 'object' || value === null) throw new Error('it holds no columns')
  const columns = value as Record<string, unknown>
  const { data, position, bodyHash: hashes } = columns
  if (!Array.isArray(data) || data.length === 0) throw new Error('it holds no events')
  for (const [name, isRight] of Object.entries(LISTS)) {
    const list = columns[name]
    const isWhole = Array.isArray(list) && list.length === data.length && list.every(isRight)
    if (!isWhole) throw new Error(`its column "${name}" is not as it should be`)
  }
  for (const [name, sizeBytes] of Object.entries(FIXED)) {
    const bytes = columns[name]
    if (!(bytes instanceof Uint8Array) || bytes.length !== data.length * sizeBytes)
      throw new Error(`its column "${name}" is not as it should be`)
  }
  if (!Number.isSafeInteger(position) || !(hashes instanceof Uint8Array))
    throw new Error('its first position or its hashes are missing')
  return columns as unknown as Columns
}
