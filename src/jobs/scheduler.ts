import { isRm3Error } from '../errors.ts'
import type { Wakeups } from '../log/wakeups.ts'
import type { Db } from '../pg/db.ts'
import { dueOf, readWorkerRows, registerWorkers, skipTo, type WorkerRow } from './checkpoints.ts'
import { isSubscribed, TRIES_MAX } from './define.ts'
import type { FoundWorker } from './discover.ts'
import { fail, type Lease, takeLease } from './lease.ts'
import { runLeased } from './run-leased.ts'
import type { Runner } from './runner.ts'

export interface SchedulerOptions {
  readonly db: Db
  readonly workers: readonly FoundWorker[]
  readonly runner: Runner
  /** Who we are, for `rm3admin worker list`. */
  readonly owner: string
  readonly say: (line: string) => void
  /** Tells when the log has grown; without it that is only seen by looking. */
  readonly wakeups: Wakeups | null
  /** How often to look, when nothing else says so. */
  readonly pollMs?: number
}

const POLL_MS = 5_000
/** So long notices of the log are gathered. */
const GATHER_MS = 200
/** Threads at once in a process: the web server beside them must go on. */
const RUNS_MAX = 4
/** Positions that one look goes over to find an event for a subscription. */
const SKIP_MAX = 10_000

/**
 * Looks which workers are due, by the rows that all processes share, and runs those whose lease it gets. Only due times, leases and
 * positions in the database count, never what this process remembers: any number of schedulers run each due worker once.
 */
export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #runs = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | null = null
  #gathering: NodeJS.Timeout | null = null
  #looking: Promise<void> | null = null
  #again = false
  #stopped = false
  #unwatch: (() => void) | null = null

  constructor(options: SchedulerOptions) {
    this.#options = options
  }

  /** Makes the rows of new workers and begins to look. */
  async start(): Promise<void> {
    const { db, workers, wakeups } = this.#options
    await registerWorkers(db, workers)
    if (workers.some(needsNotice)) this.#unwatch = wakeups?.watch(() => this.#noticed()) ?? null
    this.#look()
  }

  /** Ends the runs under way and gives their leases back. Takes `graceMs` of the runner and a little, at most. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#unwatch?.()
    for (const timer of [this.#timer, this.#gathering]) if (timer) clearTimeout(timer)
    await this.#looking
    await this.#options.runner.stop()
    await Promise.all(this.#runs)
  }

  #noticed(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null
      this.#look()
    }, GATHER_MS)
  }

  /** One look at a time; who asks for one meanwhile gets another after it. */
  #look(): void {
    if (this.#stopped) return
    if (this.#looking !== null) {
      this.#again = true
      return
    }
    if (this.#timer) clearTimeout(this.#timer)
    this.#looking = this.#startDue()
      .catch(thrown => {
        this.#options.say(`workers: ${(thrown as Error).message}`)
        return null
      })
      .then(next => {
        this.#looking = null
        this.#schedule(next)
      })
  }

  #schedule(next: number | null): void {
    if (this.#stopped) return
    const { pollMs = POLL_MS } = this.#options
    const waitMs = this.#again ? 0 : Math.min(pollMs, next ?? pollMs)
    this.#again = false
    this.#timer = setTimeout(() => this.#look(), waitMs)
  }

  /** @returns in how many milliseconds the next is due; null: none that is known */
  async #startDue(): Promise<number | null> {
    const { db, workers } = this.#options
    const rows = new Map((await readWorkerRows(db)).map(row => [row.name, row]))
    let next: number | null = null
    for (const found of workers) {
      const row = rows.get(found.name)
      if (row === undefined || row.state !== 'live' || row.isLeased) continue
      const dueMs = await this.#dueIn(found, row).catch((thrown: unknown) => {
        return isRm3Error(thrown, 'UNAVAILABLE') ? Promise.reject(thrown) : this.#spoil(row, thrown)
      })
      if (dueMs === null) continue
      if (dueMs > 0) next = Math.min(next ?? dueMs, dueMs)
      else await this.#begin(found, row)
    }
    return next
  }

  /** In how many milliseconds a worker is due; null: not by time. */
  async #dueIn({ worker }: FoundWorker, row: WorkerRow): Promise<number | null> {
    const since = (instant: string) => Date.parse(instant) - Date.parse(row.now)
    if (row.retryAt !== null && since(row.retryAt) > 0) return since(row.retryAt)
    if (isSubscribed(worker)) return (await this.#isBehind(worker.subscription.on, row)) ? 0 : null
    const due = await dueOf(this.#options.db, worker, row.due)
    return due === null ? null : Math.max(0, since(due))
  }

  /** A worker that cannot say when it is due must not keep the others from running. */
  async #spoil(row: WorkerRow, thrown: unknown): Promise<null> {
    const { db, owner } = this.#options
    const lease = await takeLease(db, row, owner)
    const error = `it does not say when it is due: ${(thrown as Error).message}`
    if (lease !== null) await fail(db, lease, { error, position: null, triesMax: TRIES_MAX })
    return null
  }

  /** Whether there are events for a subscription; over others it is moved on here, without a thread. */
  async #isBehind(types: readonly string[], row: WorkerRow): Promise<boolean> {
    if (row.epoch !== row.headEpoch) return true // for the run to fail on
    if (row.head <= row.position) return false
    const { db } = this.#options
    const until = Math.min(row.head, row.position + SKIP_MAX)
    const [event] = await db.rows(FIRST_OF, [row.position, until, types])
    if (event !== undefined) return true
    if ((await skipTo(db, row, until)) && until < row.head) this.#again = true
    return false
  }

  async #begin(found: FoundWorker, row: WorkerRow): Promise<void> {
    const { db, runner, owner } = this.#options
    if (this.#stopped || runner.size >= RUNS_MAX || runner.isRunning(found.name)) return
    const lease = await takeLease(db, row, owner)
    if (lease === null) return
    const refusal = refusalOf(found, row, lease)
    if (refusal !== null) {
      await fail(db, lease, { error: refusal, position: null, triesMax: 0 })
      return
    }
    const run = runLeased({ ...this.#options, found, lease })
      .catch(thrown => this.#options.say(`${found.name}: ${(thrown as Error).message}`))
      .then(() => {
        this.#runs.delete(run)
        this.#look()
      })
    this.#runs.add(run)
  }
}

const FIRST_OF = `select position from log
  where position > $1::bigint and position <= $2::bigint and type = any($3::text[]) order by position limit 1`

function needsNotice({ worker }: FoundWorker): boolean {
  if (isSubscribed(worker)) return true
  return 'at' in worker.schedule && typeof worker.schedule.at === 'function'
}

/** Why a run that is due is not made; null: it is. */
function refusalOf({ worker }: FoundWorker, row: WorkerRow, { tries }: Lease): string | null {
  const { triesMax = TRIES_MAX } = worker
  if (tries > triesMax) return `its process ended while it ran, ${row.tries} times in a row`
  if (isSubscribed(worker) && row.epoch !== row.headEpoch) {
    return 'the log was restored or went back: what the position means there is not known. Reset the worker with --to'
  }
  return null
}
