import { type Db, one } from '../pg/db.ts'
import { checkEntries } from './check-entry.ts'
import { bodyHash, type LogEntry, newSalt, type RecordedEvent } from './event.ts'

const ERASE = `select erase($1::uuid, $2::uuid, $3::int, $4::smallint, $5::text, $6::timestamptz, $7::text, $8::json, $9::json, $10::bytea,
  $11::bytea) as position`

/**
 * Appends an `Erased` event and empties the events that its payload has stand-ins for (`schema/functions/erase.sql`).
 *
 * @param db with the rights of the schema's owner, in a transaction: until it ends nothing else is appended
 * @returns its position; null when the stream is not where the entry expects it, and nothing was done
 */
export async function eraseInLog(db: Db, entry: LogEntry): Promise<number | null> {
  checkEntries([entry])
  const { eventId, stream, revision, version, actor, at, note, meta, data } = entry
  const salt = newSalt()
  const { position } = await one<{ position: number | null }>(db, ERASE, [
    ...[eventId, stream, revision, version, actor, at, note, meta, data],
    ...[salt, bodyHash(salt, note, meta, data)],
  ])
  return position
}

/** An event as it is read, and whether that is a stand-in. */
export interface ErasableEvent extends RecordedEvent {
  /** null: the log has it; 0: it says all that it ever said, out of its stand-in; else the revision of the event that erased it. */
  readonly erased: number | null
}

const STREAM = `select position, event_id as "eventId", stream, revision, type, version, actor, at, recorded_at as "recordedAt", note,
  meta::text as meta, data::text as data, erased
  from events where stream = $1::uuid and revision > $2::int order by revision limit $3::int`
const BATCH_MAX = 1_000

/** All events of a stream, oldest first; [] when there is none. */
export async function readErasable(db: Db, stream: string): Promise<ErasableEvent[]> {
  const events: ErasableEvent[] = []
  for (;;) {
    const rows = await db.rows<ErasableEvent>(STREAM, [stream, events.length, BATCH_MAX])
    events.push(...rows)
    if (rows.length < BATCH_MAX) return events
  }
}

const ERASED_IDS = `select event_id as "eventId" from events where stream = $1::uuid and erased > 0`

/** The ids of a stream's events whose contents were erased; [] mostly. */
export async function listErasedIds(db: Db, stream: string): Promise<string[]> {
  const rows = await db.rows<{ eventId: string }>(ERASED_IDS, [stream])
  return rows.map(({ eventId }) => eventId)
}

const STAND_INS = `select stream, revision, erased, version, note, meta, data from stand_ins
  where stream >= $1::uuid and ($2::uuid is null or stream < $2::uuid)`

/** What stands in for an emptied event, as its `Erased` event has it. */
export interface KeptStandIn {
  readonly stream: string
  readonly revision: number
  readonly erased: number | null
  readonly version: number
  readonly note: string | null
  readonly meta: object | null
  readonly data: object | null
}

/** What stands in for the emptied events of all streams in a range, in no order. @param until exclusive; null is the end */
export async function listStandIns(
  db: Db,
  { from, until }: { from: string; until: string | null },
): Promise<KeptStandIn[]> {
  return db.rows<KeptStandIn>(STAND_INS, [from, until])
}

const ERASED_AFTER = `select l.position, x.position as "erasedAt" from log l
  join stand_ins s on s.stream = l.stream and s.revision = l.revision
  join log x on x.stream = s.stream and x.revision = s.told_by
  where l.salt is null and l.position <= $1::bigint and x.position > $1::bigint limit 1`

/** Whether the log up to a position cannot be read any more without what came later: something of it was erased since. */
export async function isErasedSince(db: Db, position: number): Promise<boolean> {
  return (await db.rows(ERASED_AFTER, [position])).length > 0
}
