import { setTimeout as sleep } from 'node:timers/promises'
import { isRm3Error, Rm3Error } from '../errors.ts'
import { type CopiedEvent, copySomeStreams } from '../log/copy.ts'
import type { Bulk } from '../pg/bulk.ts'
import { type Db, one } from '../pg/db.ts'
import { dropStreams } from './change-rows.ts'
import type { EntityProjection } from './define.ts'
import { foldStreams } from './fold-streams.ts'
import { RowSink } from './row-sink.ts'
import { withoutSkipped } from './skipped.ts'
import { keysInStream, loadTargets, type Target, type Targets } from './target.ts'
import { dropExpected, makeExpected } from './verify-rows.ts'

const TRIES_MAX = 20
const PAUSE_MS = 100

/**
 * Gives some streams the rows that the log says they have, in the tables of some projections, and takes those away that they should not
 * have. All of them in one transaction, for rows may stand in each other's place. Writers wait only while rows are exchanged.
 *
 * @throws LOG_BUSY when the streams were written to each time, or the log was locked
 */
export async function repairStreams(
  { writer, reader }: { writer: Bulk; reader: Bulk },
  projections: readonly EntityProjection[],
  streams: readonly string[],
): Promise<void> {
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const done = await writer.db
      .transaction(db =>
        exchange({ ...writer, db }, position => copySomeStreams(reader, streams, position), {
          projections,
          streams,
        }),
      )
      .catch(thrown => {
        if (isRm3Error(thrown, 'LOG_BUSY')) return false
        throw thrown
      })
    if (done) return
    await sleep(PAUSE_MS)
  }
  throw new Rm3Error('LOG_BUSY', 'what is to be repaired is being written to; try again')
}

interface Wanted {
  readonly projections: readonly EntityProjection[]
  readonly streams: readonly string[]
}

/**
 * As `repairStreams` inside a transaction, of one stream whose events are at hand. What folds it elsewhere at this moment has to begin
 * anew: it may have read other events.
 */
export async function exchangeStream(
  writer: Bulk,
  projections: readonly EntityProjection[],
  events: readonly CopiedEvent[],
): Promise<void> {
  const [first] = events
  if (first === undefined) return
  const upTo = async function* (position: number) {
    yield events.filter(event => event.position <= position)
  }
  await writer.db.rows(LOCK, [projections.map(({ name }) => name)])
  await exchange(writer, upTo, { projections, streams: [first.stream] })
  await writer.db.rows(FENCE, [projections.map(({ name }) => name)])
}

const FENCE = `update checkpoints set lease_token = lease_token + 1, lease_owner = null, lease_until = null
  where kind = 'projection' and mode = 'async' and name = any($1::text[]) and lease_owner is not null`

/** Gives the events of the streams up to a position, as `foldStreams` takes them. */
type Source = (position: number) => AsyncIterable<Iterable<CopiedEvent>>

/** @returns false when one of the streams was written to meanwhile */
async function exchange(writer: Bulk, source: Source, wanted: Wanted): Promise<boolean> {
  const { streams } = wanted
  const { db } = writer
  const projections = await withoutSkipped(db, wanted.projections)
  const live = await loadTargets(db, projections, '')
  const expected = await makeExpected(db, live)
  const before = await positionsOf(db, projections)
  const groups = projections.map(projection => ({
    projections: [projection],
    keys: keysInStream(live),
    until: before.get(projection.name) ?? 0,
  }))
  const position = Math.max(...before.values())
  const sink = new RowSink(writer, expected)
  await foldStreams(source(position), groups, sink)
  await sink.flush()
  await db.script('set constraints all deferred')
  await db.rows('select from log_head for update')
  await db.rows(LOCK, [projections.map(({ name }) => name)])
  const now = await positionsOf(db, projections)
  for (const { name } of projections) {
    const { written } = await one<{ written: boolean }>(db, WRITTEN, [
      streams,
      before.get(name),
      now.get(name),
    ])
    if (written) return false
  }
  await exchangeRows(db, { live, expected }, streams)
  await dropExpected(db, expected)
  return true
}

const LOCK = `select from checkpoints where kind = 'projection' and name = any($1::text[]) for update`

const WRITTEN = `select exists (select from log where stream = any($1::uuid[]) and position > $2::bigint and position <= $3::bigint) as written`

const POSITIONS = `select name, position, (select position from log_head) as head from checkpoints where kind = 'projection'`

/** How far the rows of each projection are. */
async function positionsOf(
  db: Db,
  projections: readonly EntityProjection[],
): Promise<Map<string, number>> {
  const rows = await db.rows<{ name: string; position: number; head: number }>(POSITIONS)
  return new Map(
    projections.map(({ name, mode }) => {
      const row = rows.find(known => known.name === name)
      return [name, (mode === 'inline' ? row?.head : row?.position) ?? 0]
    }),
  )
}

async function exchangeRows(
  db: Db,
  { live, expected }: { live: Targets; expected: Targets },
  streams: readonly string[],
): Promise<void> {
  await dropStreams(db, live, streams)
  for (const [table, { name, key }] of live) {
    const rows = expected.get(table) as Target
    const same = key.map(column => `t.${column} = e.${column}`).join(' and ')
    await db.rows(`delete from ${name} t using ${rows.name} e where ${same}`)
  }
  for (const [table, { name, columns }] of live) {
    const list = columns.map(column => column.name).join(', ')
    await db.rows(`insert into ${name} (${list}) select ${list} from ${expected.get(table)?.name}`)
  }
}
