import type { Json } from '../codec/json.ts'
import { type Db, find, one } from '../pg/db.ts'
import { isSubscribed, type ScheduledWorker, type Worker } from './define.ts'
import type { FoundWorker } from './discover.ts'
import { firstDue, triggerOf } from './schedule.ts'

/** A worker's row in `checkpoints`, with what the database's clock and the log say of it. */
export interface WorkerRow {
  readonly name: string
  readonly state: 'live' | 'paused' | 'failed'
  readonly schedule: string | null
  readonly position: number
  readonly epoch: string
  /** Grows with each lease: who holds an older one is out. */
  readonly token: number
  readonly owner: string | null
  readonly isLeased: boolean
  readonly tries: number
  readonly retryAt: string | null
  readonly error: string | null
  readonly errorPosition: number | null
  readonly due: string | null
  readonly started: string | null
  readonly ended: string | null
  readonly progress: string | null
  readonly report: Json
  readonly now: string
  readonly head: number
  readonly headEpoch: string
}

const ROWS = `select c.name, c.state, c.schedule, c.position, c.epoch, c.lease_token as token, c.lease_owner as owner,
    coalesce(c.lease_until > now(), false) as "isLeased", c.tries, c.retry_at as "retryAt", c.error,
    c.error_position as "errorPosition", c.due, c.started, c.ended, c.progress, c.report,
    date_trunc('milliseconds', now()) as now, h.position as head, h.epoch as "headEpoch"
  from checkpoints c cross join log_head h where c.kind = 'worker' order by c.name`

/** The rows of all workers, by name. */
export async function readWorkerRows(db: Db): Promise<WorkerRow[]> {
  return db.rows<WorkerRow>(ROWS)
}

const REGISTER = `insert into checkpoints as c (kind, name, version, state, epoch, position, due, schedule)
  select 'worker', $1::text, 1, 'live', epoch, case when $2::boolean then 0 else position end, $3::timestamptz, $4::text from log_head
  on conflict (kind, name) do update set due = excluded.due, schedule = excluded.schedule, updated = now()
  where c.schedule is distinct from excluded.schedule`

/** Makes the rows of workers that have none, and works out anew when those are due whose schedule is another now. */
export async function registerWorkers(db: Db, workers: readonly FoundWorker[]): Promise<void> {
  const { now } = await one<{ now: string }>(db, NOW)
  for (const { name, worker } of workers) await db.rows(REGISTER, [name, ...freshOf(worker, now)])
}

const NOW = `select date_trunc('milliseconds', now()) as now`

/** The database's clock: the one that all processes share. */
export async function readNow(db: Db): Promise<string> {
  return (await one<{ now: string }>(db, NOW)).now
}

const RESET = `insert into checkpoints as c (kind, name, version, state, epoch, position, due, schedule)
  select 'worker', $1::text, 1, 'live', epoch,
    coalesce($5::bigint, case when $2::boolean then 0 else position end), $3::timestamptz, $4::text from log_head
  on conflict (kind, name) do update set state = 'live', epoch = excluded.epoch, position = excluded.position,
    due = excluded.due, schedule = excluded.schedule, lease_token = c.lease_token + 1, lease_owner = null, lease_until = null,
    tries = 0, retry_at = null, error = null, error_position = null, started = null, ended = null, progress = null, report = null,
    updated = now()`

/**
 * Makes a worker's row anew, as if it had never run. A run under way loses its lease, and is stopped by whoever runs it.
 *
 * @param to where a subscription goes on: after this position; null: where a new one begins
 */
export async function resetWorker(
  db: Db,
  { name, worker }: FoundWorker,
  to: number | null = null,
): Promise<void> {
  const now = await readNow(db)
  await db.rows(RESET, [name, ...freshOf(worker, now), to])
}

const FORGET = `delete from checkpoints where kind = 'worker' and name <> all($1::text[])`

/** Makes the rows of all workers anew, and forgets those of workers that are no more. */
export async function setUpWorkers(db: Db, workers: readonly FoundWorker[]): Promise<void> {
  await db.transaction(async inside => {
    for (const found of workers) await resetWorker(inside, found)
    await inside.rows(FORGET, [workers.map(({ name }) => name)])
  })
}

const RENEW = `delete from checkpoints where kind = 'worker' and schedule like 'on %'`
const RENEW_EPOCH = `update checkpoints set epoch = h.epoch from log_head h where kind = 'worker'`

/**
 * In the transaction in which an empty log became that of a backup: subscriptions are forgotten and begin anew where `registerWorkers` makes
 * them, so that none takes the past for news; what runs by time goes on.
 */
export async function renewWorkers(db: Db): Promise<void> {
  await db.rows(RENEW)
  await db.rows(RENEW_EPOCH)
}

/** From the start of the log?, the first due time, the trigger. */
function freshOf(worker: Worker, now: string): [boolean, string | null, string] {
  const fromStart = isSubscribed(worker) && worker.subscription.from === 'start'
  return [fromStart, firstDue(worker, now), triggerOf(worker)]
}

/** What a worker does now, for operators. */
export interface WorkerStatus {
  readonly name: string
  /** What makes it run, in words. */
  readonly trigger: string
  /** `failed`: it is not tried again by itself. */
  readonly state: 'waiting' | 'running' | 'retrying' | 'failed' | 'paused'
  readonly due: string | null
  readonly running: {
    readonly owner: string
    readonly since: string
    readonly progress: string | null
  } | null
  /** The last run that ended, well or not; `report` is of the last that succeeded. */
  readonly lastRun: {
    readonly started: string | null
    readonly ended: string
    readonly report: Json
  } | null
  /** Runs in a row that failed. */
  readonly tries: number
  readonly retryAt: string | null
  readonly error: string | null
  readonly errorPosition: number | null
  /** Of a subscription: up to where it was given everything, and how many positions the log is ahead. */
  readonly position: number | null
  readonly lag: number | null
}

/**
 * All workers that ever ran here or were set up, by name; [] when none was.
 *
 * @param known those whose schedule is in the site's tables are asked when they are due
 */
export async function listWorkers(
  db: Db,
  known: readonly FoundWorker[] = [],
): Promise<WorkerStatus[]> {
  const statuses = (await readWorkerRows(db)).map(statusOf)
  const asked = statuses.map(async status => {
    const { worker } = known.find(({ name }) => name === status.name) ?? {}
    if (worker === undefined || isSubscribed(worker)) return status
    return { ...status, due: await dueOf(db, worker, status.due) }
  })
  return Promise.all(asked)
}

/** When a worker is due: as the site's tables say, or its row. Null: nothing is scheduled. */
export async function dueOf(
  db: Db,
  { schedule }: ScheduledWorker,
  due: string | null,
): Promise<string | null> {
  return 'at' in schedule && typeof schedule.at === 'function' ? schedule.at(db) : due
}

function statusOf(row: WorkerRow): WorkerStatus {
  const { name, due, tries, retryAt, error, errorPosition, started, ended, report } = row
  const isSubscription = row.schedule?.startsWith('on ') ?? false
  const { owner, progress } = row
  return {
    name,
    trigger: row.schedule ?? '',
    state: shownState(row),
    due,
    running: row.isLeased ? { owner: owner ?? '', since: started ?? row.now, progress } : null,
    lastRun: ended === null ? null : { started: row.isLeased ? null : started, ended, report },
    tries: row.isLeased ? Math.max(0, tries - 1) : tries,
    ...{ retryAt, error, errorPosition },
    position: isSubscription ? row.position : null,
    lag: isSubscription ? row.head - row.position : null,
  }
}

function shownState({ state, isLeased, error }: WorkerRow): WorkerStatus['state'] {
  if (isLeased) return 'running'
  if (state !== 'live') return state
  return error === null ? 'waiting' : 'retrying'
}

/** The row of one worker, or null. */
export async function findWorkerRow(db: Db, name: string): Promise<WorkerRow | null> {
  return (await readWorkerRows(db)).find(row => row.name === name) ?? null
}

const SKIP = `update checkpoints set position = $3::bigint, updated = now()
  where kind = 'worker' and name = $1::text and lease_token = $2::bigint and position < $3::bigint
    and (lease_until is null or lease_until <= now()) and epoch = (select epoch from log_head)
  returning position`

/** Moves a subscription on over events that are not for it, while nobody runs it. @returns whether it did */
export async function skipTo(db: Db, row: WorkerRow, position: number): Promise<boolean> {
  return (await find(db, SKIP, [row.name, row.token, position])) !== null
}
