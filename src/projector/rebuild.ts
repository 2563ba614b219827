import { setTimeout as sleep } from 'node:timers/promises'
import { READ_MAX, readHead, readLog } from '../log/read.ts'
import { openBulk, type SiteDatabase } from '../pg/bulk.ts'
import { type Db, one } from '../pg/db.ts'
import { keepChunks, listChunks, readLoaded } from './chunks.ts'
import { isPerEntity } from './define.ts'
import { finishRebuild, type Leading, type RebuildOptions, type Rebuilt } from './rebuild-finish.ts'
import { Follower } from './rebuild-follow.ts'
import { endLoad, indexTables } from './rebuild-index.ts'
import { loadChunks } from './rebuild-load.ts'
import {
  canGoOn,
  currentRebuild,
  findRebuild,
  makeNewTables,
  newTargets,
  type RebuildRow,
} from './rebuild-plan.ts'
import { sumRows } from './rebuild-sums.ts'
import { withoutSkipped } from './skipped.ts'
import { runThreads } from './threads.ts'

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
  return leadRebuild(database, options, rebuild)
}

/** Does some work as the one who leads, once nobody else does; helps those who do meanwhile. */
export async function leadRebuild(
  database: SiteDatabase,
  options: RebuildOptions,
  work: (leading: Leading) => Promise<Rebuilt>,
): Promise<Rebuilt> {
  const writer = await openBulk(database)
  try {
    await lead(writer.db, database, options)
    const reader = await openBulk(database)
    try {
      return await work({ writer, reader, database, options })
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

/**
 * Loads in this thread and in others, with the projections that are found in them. This one is not left idle: a thread more has a heap and the
 * code of its own, some 60 MB.
 */
async function load(database: SiteDatabase, options: RebuildOptions): Promise<void> {
  const { threads, projections, reached } = options
  const failed = new AbortController()
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])])
  const works = [loadChunks(database, projections, { signal, reached })]
  if (threads > 1) {
    const datas = Array.from({ length: threads - 1 }, () => database)
    works.push(runThreads('rebuild-thread', datas, { signal }))
  }
  for (const work of works) work.catch(thrown => failed.abort(thrown))
  await Promise.allSettled(works)
  await Promise.all(works)
}

async function rebuild(work: Leading): Promise<Rebuilt> {
  const { writer, database, options } = work
  let row = await begun(work)
  if (row.phase === 'load') {
    await loadAll(work, row)
    options.reached?.('loaded')
    await endLoad(writer.db)
    row = await currentRebuild(writer.db)
  }
  await indexTables(database, row.plan)
  options.reached?.('indexed')
  return finishRebuild(work)
}

/** The rebuild to go on with: one that was left half done, or a new one. */
async function begun({ writer: { db }, options }: Leading): Promise<RebuildRow> {
  const left = await findRebuild(db)
  const head = await readHead(db)
  const isOfLog = left?.epoch === head.epoch && left.plan.kept === undefined
  if (left !== null && isOfLog && canGoOn(left, options.projections)) return left
  await db.transaction(async inside => {
    const before = left === null || left.phase === 'done' ? null : left.plan
    const plan = await makeNewTables(inside, options.projections, before)
    await inside.rows(BEGIN, [plan, head.epoch, head.position])
    if (plan.summed) await sumRows(inside, await newTargets(inside, options.projections, plan))
    await keepChunks(inside, await listChunks(inside, head.position))
  })
  options.reached?.('planned')
  return currentRebuild(db)
}

const BEGIN = `insert into rebuilds (phase, plan, epoch, loaded_to, position) values ('load', $1::json, $2::uuid, $3::bigint, 0)
  on conflict (site) do update set phase = excluded.phase, plan = excluded.plan, epoch = excluded.epoch,
    loaded_to = excluded.loaded_to, position = 0, ordered_to = 0, drift = null, altered = null, started = now(), ended = null`

/** Waits for those who help, too. */
async function loadAll(work: Leading, row: RebuildRow): Promise<void> {
  const { writer, database, options } = work
  let telling: Promise<void> | null = null // a connection takes one statement at a time, and the database is busy
  const told = setInterval(() => {
    telling ??= tell(work, row).finally(() => {
      telling = null
    })
  }, POLL_MS)
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
    await telling
  }
}

async function tell({ reader, options }: Leading, { loadedTo }: RebuildRow): Promise<void> {
  const loaded = await readLoaded(reader.db).catch(() => null) // the load itself tells of what is wrong
  if (loaded !== null) options.onProgress?.(loaded.events, loadedTo)
}

/** Fills the tables of ordered projections, in the order of the log. */
async function loadOrdered({ writer, reader, options }: Leading, row: RebuildRow): Promise<void> {
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
