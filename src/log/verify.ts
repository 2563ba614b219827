import { type Db, one } from '../pg/db.ts'
import { CHAIN_START, chainLink } from './chain.ts'
import { bodyHash } from './event.ts'
import type { RawEvent } from './raw-rows.ts'

/** What is wrong with the log, and at which position it begins. */
export interface LogFault {
  readonly position: number
  readonly rule:
    | 'position-missing'
    | 'position-unexpected'
    | 'body-altered'
    | 'header-altered'
    | 'time-decreases'
    | 'head-differs'
    | 'revision-missing'
    | 'erasure-differs'
  readonly text: string
}

export interface LogProof {
  /** Events read. */
  readonly events: number
  /** Chain value at the last event, hexadecimal. */
  readonly chain: string
  /** The first fault by position, or null when the log is whole. */
  readonly fault: LogFault | null
}

/** Positions read at once: a document may have megabytes. */
const BATCH_MAX = 200
const STREAM_BATCH_MAX = 5_000

const BATCH = `select position, event_id as "eventId", stream, revision, type, version, actor, at,
  recorded_at as "recordedAt", note, meta::text as meta, data::text as data, salt, body_hash as "bodyHash", chain
  from log where position > $1::bigint and position <= $2::bigint order by position`

/**
 * Reads the whole log and proves it: dense positions, every body against its hash, every header against the chain,
 * `recorded_at` never decreasing, nothing before the first or behind the last position, the head equal to the last row,
 * revisions of each stream without a gap in the order of positions, and that just those events are empty that an erasure emptied.
 *
 * Memory is bounded by one batch. A log that grows meanwhile is read to where it ended at the start.
 *
 * @param onProgress told the events read so far and the number expected
 */
export async function verifyLog(
  db: Db,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<LogProof> {
  const ends = await one<Ends>(db, ENDS)
  let previous: RawEvent | null = null
  let chain: Buffer = CHAIN_START
  let events = 0
  const proof = (fault: LogFault | null): LogProof => ({
    events,
    chain: chain.toString('hex'),
    fault,
  })
  if (ends.first !== null && ends.first < 1) return proof(unexpected(ends.first))
  while (events < ends.position) {
    const until = Math.min(events + BATCH_MAX, ends.position)
    const rows: RawEvent[] = await db.rows<RawEvent>(BATCH, [events, until])
    for (const row of rows) {
      const fault = eventFault(row, previous, chain)
      if (fault) return proof(fault)
      chain = row.chain
      previous = row
      events++
    }
    if (events < until) return proof(missing(events + 1))
    onProgress(events, ends.position)
  }
  const recordedAt = previous?.recordedAt ?? '-infinity'
  return proof(
    faultOfHead(ends, chain, recordedAt) ??
      first(await faultOfStreams(db, ends.position), await faultOfErasures(db, ends.position)),
  )
}

/**
 * What is wrong with an event as the one that comes after another, or null.
 *
 * @param previous the one before; null when it shall be the first of a log
 * @param chain the chain value before it
 */
export function eventFault(
  row: RawEvent,
  previous: { readonly position: number; readonly recordedAt: string } | null,
  chain: Buffer,
): LogFault | null {
  const expected = (previous?.position ?? 0) + 1
  if (row.position > expected) return missing(expected)
  if (row.position < expected) return unexpected(row.position)
  if (isAltered(row)) {
    return {
      position: row.position,
      rule: 'body-altered',
      text: 'salt, note, meta or data is not what was written',
    }
  }
  if (!chainLink(chain, row, row.bodyHash).equals(row.chain)) {
    return {
      position: row.position,
      rule: 'header-altered',
      text: 'a column of the event, or the chain value here or just before, is not what was written',
    }
  }
  if (previous !== null && row.recordedAt < previous.recordedAt) {
    return {
      position: row.position,
      rule: 'time-decreases',
      text: 'recorded before the event ahead of it',
    }
  }
  return null
}

/** An erased event has nothing left that could be compared; all four columns are null together. */
function isAltered({ salt, note, meta, data, bodyHash: written }: RawEvent): boolean {
  if (salt === null) return note !== null || meta !== null || data !== null
  return !bodyHash(salt, note, meta, data).equals(written)
}

interface Ends {
  readonly first: number | null
  readonly last: number | null
  readonly position: number
  readonly recordedAt: string
  readonly chain: string
}

/** One statement, so that rows and head are of one instant. */
const ENDS = `select (select min(position) from log) as first, (select max(position) from log) as last,
  position, recorded_at as "recordedAt", encode(chain, 'hex') as chain from log_head`

function faultOfHead(ends: Ends, chain: Buffer, recordedAt: string): LogFault | null {
  const { position, last } = ends
  if (ends.chain !== chain.toString('hex')) {
    return {
      position,
      rule: 'head-differs',
      text: 'the chain value in log_head is not that of the last event: events are missing at the end, or the head was altered',
    }
  }
  if (ends.recordedAt !== recordedAt) {
    return {
      position,
      rule: 'head-differs',
      text: 'recorded_at in log_head is not that of the last event',
    }
  }
  return last !== null && last > position ? unexpected(position + 1) : null
}

function missing(position: number): LogFault {
  return { position, rule: 'position-missing', text: 'there is no event at this position' }
}

function unexpected(position: number): LogFault {
  return {
    position,
    rule: 'position-unexpected',
    text: 'an event too many: the position is there twice, or outside the log',
  }
}

const STREAMS = `select stream, revision, position from log
  where (stream, revision) > ($1::uuid, $2::int) and position <= $3::bigint
  order by stream, revision limit $4::int`
const NO_STREAM = '00000000-0000-0000-0000-000000000000'

interface Place {
  readonly stream: string
  readonly revision: number
  readonly position: number
}

/** The chain says that the rows are as they were written; this, that they were written rightly. */
async function faultOfStreams(db: Db, until: number): Promise<LogFault | null> {
  let found: LogFault | null = null
  let last: Place = { stream: NO_STREAM, revision: 0, position: 0 }
  for (;;) {
    const places = await db.rows<Place>(STREAMS, [
      last.stream,
      last.revision,
      until,
      STREAM_BATCH_MAX,
    ])
    for (const place of places) {
      if (!follows(last, place) && place.position < (found?.position ?? Infinity)) {
        found = outOfOrder(place)
      }
      last = place
    }
    if (places.length < STREAM_BATCH_MAX) return found
  }
}

function follows(last: Place, place: Place): boolean {
  if (place.stream !== last.stream) return place.revision === 1
  return place.revision === last.revision + 1 && place.position > last.position
}

function first(one: LogFault | null, other: LogFault | null): LogFault | null {
  if (one === null || other === null) return one ?? other
  return one.position <= other.position ? one : other
}

/** Events that are empty without a stand-in, that have one and are not, and stand-ins that are not as the erasure has them. */
const ERASURES = `with told as (
    select x.stream, s.revision, s.erased, s.version, s.note, nullif(s.meta::text, 'null') as meta, nullif(s.data::text, 'null') as data
    from log x cross join lateral json_to_recordset(x.data->'standIns')
      s (revision int, erased int, version smallint, note text, meta json, data json)
    where x.type = 'Erased' and x.data is not null
  ), kept as (
    select stream, revision, erased, version, note, meta::text as meta, data::text as data from stand_ins
  ), wrong as (
    select l.position, 'it was emptied, and no erasure says so' as text from log l
    where l.salt is null and not exists (select from kept k where k.stream = l.stream and k.revision = l.revision)
    union all
    select l.position, 'an erasure says that it was emptied, and it was not' from kept k
    join log l on l.stream = k.stream and l.revision = k.revision where l.salt is not null
    union all
    select l.position, 'what stands in for it is not what the erasure says' from (
      (table told except table kept) union all (table kept except table told)) d
    join log l on l.stream = d.stream and l.revision = d.revision
  )
  select position, text from wrong where position <= $1::bigint order by position limit 1`

/** The first event by position, up to one, that is not emptied or read as erasures say: hashes and chain do not tell that. */
export async function faultOfErasures(db: Db, until: number): Promise<LogFault | null> {
  const [found] = await db.rows<{ position: number; text: string }>(ERASURES, [until])
  return found === undefined ? null : { rule: 'erasure-differs', ...found }
}

function outOfOrder({ stream, revision, position }: Place): LogFault {
  return {
    position,
    rule: 'revision-missing',
    text: `revision ${revision} of the stream ${stream} does not follow the one before`,
  }
}
