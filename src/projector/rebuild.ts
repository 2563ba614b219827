import { setTimeout as sleep } from 'node:timers/promises'
import { READ_MAX, readHead, readLog } from '../log/read.ts'
import { type Bulk, openBulk, type SiteDatabase } from '../pg/bulk.ts'
import { type Db, one } from '../pg/db.ts'
import { keepChunks, listChunks, readLoaded } from './chunks.ts'
import { isPerEntity, type Projection } from './define.ts'
import { compareTables, type Drift } from './rebuild-compare.ts'
import { Follower } from './rebuild-follow.ts'
import { endLoad, indexTables } from './rebuild-index.ts'
import { isIn, type LoadOptions, loadChunks } from './rebuild-load.ts'
import { findRebuild, makeNewTables, NEW, type RebuildRow } from './rebuild-plan.ts'
import { catchUp, swapTables } from './rebuild-swap.ts'
import { withoutSkipped } from './skipped.ts'
import { loadTargets } from './target.ts'
import { runThreads } from './threads.ts'

export interface RebuildOptions extends LoadOptions {
  /** Those that are rebuilt. */
  readonly projections: readonly Projection[]
  /** All of the site. */
  readonly all: readonly Projection[]
  /** Threads that load, each a client of the database; 0 does it in this one, with the projections as they are given. */
  readonly threads: number
  /** Told events loaded and all that are to be. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

export interface Rebuilt {
  /** Where the log was when the new tables took the place of the old ones. */
  readonly position: number
  /** What was not as the log has it in the old tables; null when nothing could be compared. */
  readonly drift: readonly Drift[] | null
}

/** First key of the advisory lock of whoever leads a rebuild; the second is the hash of the site's name. */
const LOCK_CLASS = 0x726d3301
const POLL_MS = 250

/**
 * Builds projections anew beside the live tables and swaps them in, while the site goes on.
 *
 * Processes that do so at once share the work: one leads, the others load chunks with it. A rebuild that was killed is gone on with when
 * it is of the same projections in the same versions; else it is given up.
 *
 * @throws LOG_DAMAGED when an event cannot be folded, LOG_BUSY (see `swapTables`), UNAVAILABLE, DISK_FULL: the live tables are as they were
 */
export async function rebuildProjections(
  database: SiteDatabase,
  options: RebuildOptions,
): Promise<Rebuilt> {
  const writer = await openBulk(database)
  try {
    await lead(writer.db, database, options)
    const reader = await openBulk(database)
    try {
      return await rebuild({ writer, reader, database, options })
    } finally {
      await reader.close()
    }
  } finally {
    await writer.close()
  }
}

const LEAD = 'select pg_try_advisory_lock($1::int, hashtext($2::text)) as won'

/** Waits until nobody else leads, and helps meanwhile. The lock ends with the connection. */
async function lead(db: Db, database: SiteDatabase, options: RebuildOptions): Promise<void> {
  for (;;) {
    options.signal?.throwIfAborted()
    const { won } = await one<{ won: boolean }>(db, LEAD, [LOCK_CLASS, database.site])
    if (won) return
    await load(database, options)
    await sleep(POLL_MS, undefined, { signal: options.signal })
  }
}

/** Threads load with the projections that are found in them. */
function load(database: SiteDatabase, options: RebuildOptions): Promise<void> {
  const { threads, projections, signal } = options
  if (threads < 2) return loadChunks(database, projections, options)
  const datas = Array.from({ length: threads }, () => database)
  return runThreads('rebuild-thread', datas, { signal })
}

interface Work {
  readonly writer: Bulk
  readonly reader: Bulk
  readonly database: SiteDatabase
  readonly options: RebuildOptions
}

async function rebuild(work: Work): Promise<Rebuilt> {
  const { writer, database, options } = work
  let row = await begun(work)
  if (row.phase === 'load') {
    await loadAll(work, row)
    options.reached?.('loaded')
    await endLoad(writer.db)
    row = await current(writer.db)
  }
  await indexTables(database, row.plan)
  options.reached?.('indexed')
  return finish(work)
}

/** The rebuild to go on with: one that was left half done, or a new one. */
async function begun({ writer: { db }, options }: Work): Promise<RebuildRow> {
  const left = await findRebuild(db)
  const head = await readHead(db)
  if (left !== null && left.epoch === head.epoch && canGoOn(left, options.projections)) return left
  await db.transaction(async inside => {
    const before = left === null || left.phase === 'done' ? null : left.plan
    const plan = await makeNewTables(inside, options.projections, before)
    await inside.rows(BEGIN, [plan, head.epoch, head.position])
    await keepChunks(inside, await listChunks(inside, head.position))
  })
  options.reached?.('planned')
  return current(db)
}

const BEGIN = `insert into rebuilds (phase, plan, epoch, loaded_to, position) values ('load', $1::json, $2::uuid, $3::bigint, 0)
  on conflict (site) do update set phase = excluded.phase, plan = excluded.plan, epoch = excluded.epoch,
    loaded_to = excluded.loaded_to, position = 0, ordered_to = 0, drift = null, started = now(), ended = null`

function canGoOn(left: RebuildRow, projections: readonly Projection[]): boolean {
  if (left.phase === 'done') return false
  const { length } = projections.filter(isIn(left))
  return length === projections.length && length === left.plan.projections.length
}

async function current(db: Db): Promise<RebuildRow> {
  const row = await findRebuild(db)
  if (row === null) throw new Error('the rebuild under way is not there any more')
  return row
}

/** Waits for those who help, too. */
async function loadAll(work: Work, row: RebuildRow): Promise<void> {
  const { writer, database, options } = work
  const told = setInterval(() => void tell(work, row), POLL_MS)
  try {
    await loadOrdered(work, row)
    for (;;) {
      await load(database, options)
      const { waiting } = await readLoaded(writer.db)
      if (waiting === 0) return
      await sleep(POLL_MS, undefined, { signal: options.signal })
    }
  } finally {
    clearInterval(told)
  }
}

async function tell({ reader, options }: Work, { loadedTo }: RebuildRow): Promise<void> {
  const loaded = await readLoaded(reader.db).catch(() => null) // the load itself tells of what is wrong
  if (loaded !== null) options.onProgress?.(loaded.events, loadedTo)
}

/** Fills the tables of ordered projections, in the order of the log. */
async function loadOrdered({ writer, reader, options }: Work, row: RebuildRow): Promise<void> {
  const some = options.projections.filter(projection => !isPerEntity(projection))
  if (some.length === 0) return
  const ordered = await withoutSkipped(writer.db, some)
  const follower = new Follower({ writer, reader }, ordered, new Map())
  let { orderedTo } = row
  while (orderedTo < row.loadedTo) {
    options.signal?.throwIfAborted()
    const limit = Math.min(READ_MAX, row.loadedTo - orderedTo)
    orderedTo = await writer.db.transaction(async db => {
      const events = await readLog(db, orderedTo, limit)
      await follower.apply(db, events)
      const until = orderedTo + events.length
      await db.rows('update rebuilds set ordered_to = $1::bigint', [until])
      return until
    })
  }
}

async function finish({ writer, reader, options }: Work): Promise<Rebuilt> {
  const { db } = writer
  const { projections, all, signal, reached } = options
  const perEntity = projections.filter(isPerEntity)
  const made = await loadTargets(db, perEntity, NEW)
  const live = await loadTargets(db, perEntity, '')
  const versions = await db.rows<{ name: string; version: number }>(VERSIONS)
  const isSame = projections.every(({ name, version }) =>
    versions.some(known => known.name === name && known.version === version),
  )
  const follower = new Follower({ writer, reader }, await withoutSkipped(db, projections), made)
  await catchUp({ db, follower, signal })
  const { position: madeTo } = await current(db)
  const drift = isSame ? await compareTables(db, perEntity, { live, made, position: madeTo }) : null
  await db.rows('update rebuilds set drift = $1::json', [drift && JSON.stringify(drift)])
  const writersOf = isSame && drift?.every(({ rows }) => rows !== null) ? null : all
  const position = await swapTables({ db, follower, projections, writersOf, signal, reached })
  reached?.('swapped')
  return { position, drift }
}

const VERSIONS = `select name, version from checkpoints where kind = 'projection'`
