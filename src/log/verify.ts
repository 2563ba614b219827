import { type Db, find } from '../pg/db.ts'
import { CHAIN_START, chainLink } from './chain.ts'
import { bodyHash, type RecordedEvent } from './event.ts'
import { readHead } from './read.ts'

/** What is wrong with the log, and at which position it begins. */
export interface LogFault {
  readonly position: number
  readonly rule:
    | 'position-missing'
    | 'body-altered'
    | 'header-altered'
    | 'time-decreases'
    | 'head-differs'
    | 'revision-missing'
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

interface Row extends RecordedEvent {
  readonly salt: Buffer | null
  readonly bodyHash: Buffer
  readonly chain: Buffer
}

const BATCH_MAX = 2_000

const BATCH = `select position, event_id as "eventId", stream, revision, type, version, actor, at,
  recorded_at as "recordedAt", note, meta::text as meta, data::text as data, salt, body_hash as "bodyHash", chain
  from log where position > $1::bigint order by position limit $2::int`

const BROKEN_STREAM = `select stream, min(position) as position, count(*) as events, max(revision) as revision
  from log group by stream having max(revision) <> count(*) order by 2 limit 1`

/**
 * Reads the whole log and proves it: dense positions, every body against its hash, every header against the chain,
 * `recorded_at` never decreasing, revisions of each stream without a gap, and the head equal to the last row.
 *
 * Memory is bounded by one batch. A log that grows meanwhile is read to where it ended at the start, at least.
 *
 * @param onProgress told the events read so far and the number expected
 */
export async function verifyLog(
  db: Db,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<LogProof> {
  const head = await readHead(db)
  let previous: Row | null = null
  let chain: Buffer = CHAIN_START
  let events = 0
  const proof = (fault: LogFault | null): LogProof => ({
    events,
    chain: chain.toString('hex'),
    fault,
  })
  while (events < head.position) {
    const limit = Math.min(BATCH_MAX, head.position - events)
    const rows: Row[] = await db.rows<Row>(BATCH, [events, limit])
    for (const row of rows) {
      const fault = faultOf(row, previous, chain)
      if (fault) return proof(fault)
      chain = row.chain
      previous = row
      events++
    }
    if (rows.length < limit) return proof(missing(events + 1))
    onProgress(events, head.position)
  }
  if (chain.toString('hex') !== head.chain) return proof(headDiffers(events))
  return proof(await brokenStream(db))
}

function faultOf(row: Row, previous: Row | null, chain: Buffer): LogFault | null {
  const expected = (previous?.position ?? 0) + 1
  if (row.position !== expected) return missing(expected)
  if (row.salt !== null && !bodyHash(row.salt, row.note, row.meta, row.data).equals(row.bodyHash)) {
    return {
      position: row.position,
      rule: 'body-altered',
      text: 'note, meta or data is not what was written',
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

function missing(position: number): LogFault {
  return { position, rule: 'position-missing', text: 'there is no event at this position' }
}

function headDiffers(position: number): LogFault {
  return {
    position,
    rule: 'head-differs',
    text: 'the chain value in log_head is not that of the last event: events are missing at the end, or the head was altered',
  }
}

async function brokenStream(db: Db): Promise<LogFault | null> {
  const row = await find<{ stream: string; position: number; events: number; revision: number }>(
    db,
    BROKEN_STREAM,
  )
  if (row === null) return null
  return {
    position: row.position,
    rule: 'revision-missing',
    text: `the stream ${row.stream} has ${row.events} events but ends at revision ${row.revision}`,
  }
}
