import { isRm3Error, Rm3Error } from '../errors.ts'
import { BinaryWriter } from '../pg/binary.ts'
import type { Bulk } from '../pg/bulk.ts'
import { type Db, find, one } from '../pg/db.ts'
import { violatedConstraint } from '../pg/sqlstate.ts'
import { makeIndexes, takeIndexes } from '../pg/table-indexes.ts'
import { type LogPlace, readRawLog } from './raw.ts'
import { formatRawRows, RAW_COLUMNS, type RawEvent } from './raw-rows.ts'
import { eventFault, type LogFault } from './verify.ts'

/** Events that a log shall be continued with, as they were in another. */
export interface LogPart {
  /** Where they begin: the log must end exactly there. An empty log for position 0. */
  readonly parent: LogPlace
  /** Where they end. */
  readonly head: LogPlace
  /** Read once, in any order. */
  readonly events: AsyncIterable<readonly RawEvent[]>
}

/**
 * Puts events into the log as they were: positions, ids, times, bytes. Then all of them are read back and proved: dense, every hash, the
 * chain from the parent to the head, every stream without a gap.
 *
 * `rights_position` becomes the head's, so that whoever remembers rights looks them up anew. A log that was empty gets a new epoch: from here
 * on it goes its own way, and a position behind the head is not that of the log it was taken from.
 *
 * @param bulk in a transaction, which is to be rolled back when this rejects
 * @returns the number of events
 * @throws SITE_NOT_EMPTY when the log does not end at the parent, BACKUP_INCOMPLETE when it ends before it, BACKUP_DAMAGED naming the first fault by position
 */
export async function restoreLog(bulk: Bulk, part: LogPart): Promise<number> {
  const { parent, head } = part
  const before = await one<Before>(bulk.db, HEAD)
  if (!isSamePlace(before, parent)) throw notThere(before, parent)
  await fill(bulk, part, before).catch(thrown => {
    throw translated(thrown)
  })
  await bulk.db.rows('select empty_erased()') // a later part of a log may have erased what an earlier one says
  const recordedAt = await walk(bulk, part, before)
  await demandEnds(bulk.db, head)
  await demandStreams(bulk.db)
  await bulk.db.rows(MOVE, [head.position, Buffer.from(head.chain, 'hex'), recordedAt])
  await bulk.db.script('analyze log')
  return head.position - parent.position
}

/** A log that is empty gets its indexes when it is full: nobody has anything to look up in it before. */
async function fill({ db, copyIn }: Bulk, { events }: LogPart, before: Before): Promise<void> {
  const indexes = before.position === 0 ? await takeIndexes(db, 'log') : []
  await copyIn(
    `copy log (${RAW_COLUMNS}) from stdin (format binary)`,
    formatRawRows(new BinaryWriter(), events),
  )
  await makeIndexes(db, indexes)
}

interface Before extends LogPlace {
  readonly recordedAt: string
}

const HEAD = `select position, encode(chain, 'hex') as chain, recorded_at as "recordedAt" from log_head for update`

const MOVE = `update log_head set
  epoch = case when position = 0 then gen_random_uuid() else epoch end,
  position = $1::bigint, rights_position = $1::bigint, chain = $2::bytea, recorded_at = $3::timestamptz`

/** Whether two logs are the same up to here. */
export function isSamePlace(one: LogPlace, other: LogPlace): boolean {
  return one.position === other.position && one.chain === other.chain
}

function notThere({ position }: Before, parent: LogPlace): Rm3Error {
  const details = { position, parent: parent.position, loaded: false }
  if (position < parent.position) {
    return new Rm3Error(
      'BACKUP_INCOMPLETE',
      `what is to be loaded goes on from position ${parent.position}, and the log ends at ${position}: load first what it continues`,
      details,
    )
  }
  const hint =
    parent.position === 0
      ? 'load into an empty one: set RM3_SITE to a new name, or RM3_PG to a new database'
      : `what is to be loaded goes on from position ${parent.position} of the log it was taken from, and this one is another from there on`
  return new Rm3Error(
    'SITE_NOT_EMPTY',
    `the site has content already (${position} events in its log); ${hint}`,
    details,
  )
}

const CONSTRAINTS: Readonly<Record<string, string>> = {
  log_position: 'a position is there twice',
  log_event_id: 'an event id is there twice',
  log_stream_revision: 'a revision of a stream is there twice',
}

function translated(thrown: unknown): unknown {
  const constraint = violatedConstraint(thrown)
  if (constraint !== null) {
    return damaged(CONSTRAINTS[constraint] ?? `a value breaks the rule ${constraint}`, thrown)
  }
  const isMalformed = thrown instanceof Rm3Error && thrown.code === 'REQUEST_INVALID'
  return isMalformed ? damaged('a value is malformed or out of range', thrown) : thrown
}

/** Follows the chain through what was written. @returns when the last event was recorded */
async function walk(bulk: Bulk, { parent, head }: LogPart, before: Before): Promise<string> {
  let previous: { position: number; recordedAt: string } | null =
    before.position === 0 ? null : before
  let chain: Buffer = Buffer.from(parent.chain, 'hex')
  const range = { after: parent.position, until: head.position }
  for await (const batch of readBack(bulk, range)) {
    for (const event of batch) {
      const fault = eventFault(event, previous, chain)
      if (fault !== null) throw faulty(fault)
      chain = event.chain
      previous = event
    }
  }
  if (chain.toString('hex') !== head.chain) {
    throw damaged(`the chain ends with another value than the one at position ${head.position}`)
  }
  return previous?.recordedAt ?? '-infinity'
}

async function* readBack(bulk: Bulk, range: { after: number; until: number }) {
  try {
    yield* readRawLog(bulk, range)
  } catch (thrown) {
    throw isRm3Error(thrown, 'LOG_DAMAGED') ? damaged(thrown.message, thrown) : thrown
  }
}

const ENDS = 'select min(position) as first, max(position) as last from log'

async function demandEnds(db: Db, head: LogPlace): Promise<void> {
  const { first, last } = await one<{ first: number | null; last: number | null }>(db, ENDS)
  if ((first ?? 1) < 1) throw damaged(`there is an event at position ${first}`)
  if ((last ?? 0) > head.position)
    throw damaged(`there is an event behind position ${head.position}`)
}

/** The chain says that events are as they were written; this, that they were written rightly. */
const STREAMS = `select stream, revision, position from (
    select stream, revision, position, row_number() over by_revision as place,
      coalesce(lag(position) over by_revision, 0) as before
    from log window by_revision as (partition by stream order by revision)
  ) l where revision <> place or position <= before order by position limit 1`

async function demandStreams(db: Db): Promise<void> {
  const fault = await find<{ stream: string; revision: number; position: number }>(db, STREAMS)
  if (fault === null) return
  const { stream, revision, position } = fault
  const text = `revision ${revision} of the stream ${stream} does not follow the one before`
  throw faulty({ position, rule: 'revision-missing', text })
}

function faulty({ position, text }: LogFault): Rm3Error {
  return damaged(`position ${position}: ${text}`)
}

function damaged(text: string, cause?: unknown): Rm3Error {
  return new Rm3Error('BACKUP_DAMAGED', `the events to be loaded are no whole log: ${text}`, {
    cause,
  })
}
