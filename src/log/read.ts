import { type Db, find } from '../pg/db.ts'
import type { RecordedEvent } from './event.ts'

/** Most events that one read gives. */
export const READ_MAX = 1000

const COLUMNS = `position, event_id as "eventId", stream, revision, type, version, actor, at,
  recorded_at as "recordedAt", note, meta::text as meta, data::text as data`

const STREAM = `select ${COLUMNS} from events
  where stream = $1::uuid and revision >= $2::int and revision <= $3::int
  order by revision limit $4::int`

/**
 * Events of one stream, oldest first.
 *
 * @param range revisions, 1-based, both inclusive
 * @param limit most events returned, 1 to `READ_MAX`
 * @returns [] when the stream does not exist or has none in the range
 */
export async function readStream(
  db: Db,
  stream: string,
  range: { from: number; to?: number; limit?: number },
): Promise<RecordedEvent[]> {
  const { from, to = INT_MAX, limit = READ_MAX } = range
  return db.rows<RecordedEvent>(STREAM, [stream, from, to, Math.min(limit, READ_MAX)])
}

const STREAM_BACKWARDS = `select ${COLUMNS} from events
  where stream = $1::uuid and revision < $2::int
  order by revision desc limit $3::int`

/**
 * Events of one stream, newest first, for people's lists.
 *
 * @param before only revisions below this one; `undefined` starts at the newest
 */
export async function readStreamBackwards(
  db: Db,
  stream: string,
  range: { before?: number | undefined; limit: number },
): Promise<RecordedEvent[]> {
  const { before = INT_MAX, limit } = range
  return db.rows<RecordedEvent>(STREAM_BACKWARDS, [stream, before, Math.min(limit, READ_MAX)])
}

const LOG = `select ${COLUMNS} from events where position > $1::bigint order by position limit $2::int`

/**
 * Events of the whole log in order. Dense positions and one order of commits mean that nothing with a lower position can
 * appear later: whoever has read up to P has all of it.
 *
 * @param after the last position already known; 0 starts at the beginning
 */
export async function readLog(
  db: Db,
  after: number,
  limit: number = READ_MAX,
): Promise<RecordedEvent[]> {
  return db.rows<RecordedEvent>(LOG, [after, Math.min(limit, READ_MAX)])
}

const PART = `select ${COLUMNS} from (
    select *, sum(coalesce(pg_column_size(data), 0)) over (order by position) as bytes
    from (select * from events where position > $1::bigint order by position limit $2::int) l
  ) l
  where bytes <= $3::bigint or position = $1::bigint + 1
  order by position`

/**
 * As `readLog`, for those who work through all of it: also bounded by bytes, but at least one event.
 *
 * @param most `bytes`: of payloads as the database keeps them, compressed
 */
export async function readLogPart(
  db: Db,
  after: number,
  most: { events: number; bytes: number },
): Promise<RecordedEvent[]> {
  return db.rows<RecordedEvent>(PART, [after, most.events, most.bytes])
}

const BY_TYPE = `select ${COLUMNS} from events
  where position > $1::bigint and position <= $2::bigint and type = any($3::text[])
  order by position`

/**
 * Events of some types among the next `READ_MAX` positions after `after`.
 *
 * @returns `scanned`: the position up to which all were seen; it is `after` at the end of the log
 */
export async function readTypes(
  db: Db,
  after: number,
  types: readonly string[],
): Promise<{ events: RecordedEvent[]; scanned: number }> {
  const { position } = await readHead(db)
  const scanned = Math.max(after, Math.min(after + READ_MAX, position))
  const events = await db.rows<RecordedEvent>(BY_TYPE, [after, scanned, types])
  return { events, scanned }
}

const EVENT = `select ${COLUMNS} from events where event_id = $1::uuid`

/** The event with that id or null. */
export async function findEvent(db: Db, eventId: string): Promise<RecordedEvent | null> {
  return find<RecordedEvent>(db, EVENT, [eventId])
}

const KNOWN = `select event_id as "eventId" from log where event_id = any($1::uuid[])`

/** Those of the ids that events have, in no order. */
export async function listKnownEvents(db: Db, eventIds: readonly string[]): Promise<string[]> {
  const rows = await db.rows<{ eventId: string }>(KNOWN, [eventIds])
  return rows.map(({ eventId }) => eventId)
}

const AT_POSITION = `select ${COLUMNS} from events where position = $1::bigint`

/** The event at that position or null. */
export async function findPosition(db: Db, position: number): Promise<RecordedEvent | null> {
  return find<RecordedEvent>(db, AT_POSITION, [position])
}

export interface LogHead {
  /** The last position; 0 in an empty log. */
  readonly position: number
  readonly rightsPosition: number
  /** RFC 3339, or '-infinity' in an empty log. */
  readonly recordedAt: string
  readonly epoch: string
  /** Hexadecimal. */
  readonly chain: string
}

const HEAD = `select position, rights_position as "rightsPosition", recorded_at as "recordedAt", epoch,
  encode(chain, 'hex') as chain from log_head`

/** Where the log ends. */
export async function readHead(db: Db): Promise<LogHead> {
  const head = await find<LogHead>(db, HEAD)
  if (head === null) throw new Error('log_head is empty: the schema is damaged')
  return head
}

const POSITION_AT = `select position_at($1::timestamptz) as position`

/** The last position recorded at or before `instant`; 0 when the log begins later. */
export async function readPositionAt(db: Db, instant: string): Promise<number> {
  const row = await find<{ position: number }>(db, POSITION_AT, [instant])
  return row?.position ?? 0
}

const POSITIONS_AT = `select position_at(i.at) as position from unnest($1::timestamptz[]) with ordinality as i(at, number) order by i.number`

/** As `readPositionAt`, of several instants, in their order. */
export async function readPositionsAt(db: Db, instants: readonly string[]): Promise<number[]> {
  const rows = await db.rows<{ position: number }>(POSITIONS_AT, [instants])
  return rows.map(({ position }) => position)
}

const INT_MAX = 2_147_483_647
