import type { RecordedEvent } from '../log/event.ts'
import { readLogPart } from '../log/read.ts'
import type { Db } from '../pg/db.ts'
import { isPassing } from '../pg/sqlstate.ts'
import { type Applier, openApplier } from './apply.ts'
import type { Bell } from './bell.ts'
import {
  advance,
  fail,
  type Lease,
  listSkipped,
  look,
  noteTrouble,
  type Standing,
} from './checkpoint.ts'
import { commitBatch } from './commit-batch.ts'
import type { Projection } from './define.ts'
import { Pace } from './pace.ts'

/** What a follower is given. */
export interface FollowerOptions {
  readonly db: Db
  readonly projection: Projection
  readonly bell: Bell
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/** Without a notice the log is looked at this often. */
const POLL_MS = 1_000
/** A pause between batches at the end of the log, so that under many saves each has something to do. */
const GATHER_MS = 50
/** Bytes of payloads in a batch, as the database keeps them. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024
const ERROR_CHARS_MAX = 2_000

/** Applies the log to one projection under a lease. */
export class Follower {
  readonly #options: FollowerOptions
  readonly #applier: Applier
  readonly #skipped: ReadonlySet<number>
  readonly #pace = new Pace()
  #lease: Lease

  private constructor(
    options: FollowerOptions,
    lease: Lease,
    applier: Applier,
    skipped: ReadonlySet<number>,
  ) {
    this.#options = options
    this.#lease = lease
    this.#applier = applier
    this.#skipped = skipped
  }

  static async open(options: FollowerOptions, lease: Lease): Promise<Follower> {
    const { db, projection } = options
    const applier = await openApplier(db, projection)
    return new Follower(options, lease, applier, await listSkipped(db, projection.name))
  }

  /** Follows until it is told to stop, the lease is lost or the projection has failed. @throws what passes by itself */
  async run(): Promise<void> {
    const { bell, signal } = this.#options
    while (!signal.aborted) {
      bell.reset()
      const { limit } = this.#pace
      const events = await this.#read(limit)
      const goesOn = events.length === 0 ? await this.#idle() : await this.#apply(events)
      if (!goesOn) return
      if (events.length === 0) await bell.rung(POLL_MS)
      else if (events.length < limit && this.#lease.state === 'live') await bell.pause(GATHER_MS)
    }
  }

  async #read(limit: number): Promise<RecordedEvent[]> {
    const { db } = this.#options
    return readLogPart(db, this.#lease.position, { events: limit, bytes: BATCH_BYTES_MAX })
  }

  /** @returns whether the lease is still held */
  async #idle(): Promise<boolean> {
    const { db } = this.#options
    const standing = await look(db, this.#lease)
    if (!standing.held) return false
    const complaint = complaintOf(this.#lease, standing)
    if (complaint !== null) return this.#stop(complaint, null)
    if (this.#lease.state === 'building' && standing.head === this.#lease.position) {
      this.#lease = (await advance(db, this.#lease, standing.head)) ?? this.#lease
    }
    return true
  }

  /** @returns whether the lease is still held */
  async #apply(events: readonly RecordedEvent[]): Promise<boolean> {
    const { db } = this.#options
    const start = performance.now()
    const position = this.#lease.position + events.length
    if (events.at(-1)?.position !== position) {
      return this.#stop(`the log has a gap after position ${this.#lease.position}`, null)
    }
    try {
      const skipped = this.#skipped
      const moved = await commitBatch(db, this.#applier, this.#lease, { events, skipped })
      if (moved === null) return this.#idle()
      this.#lease = moved
    } catch (thrown) {
      if (isPassing(thrown)) throw thrown
      return this.#isolate(events, thrown)
    }
    this.#pace.succeeded(events.length, performance.now() - start, position)
    return true
  }

  /** Narrows down which event cannot be applied; the projection fails once it stands alone and was tried often enough. */
  async #isolate(events: readonly RecordedEvent[], thrown: unknown): Promise<boolean> {
    const { db, bell, projection, say } = this.#options
    const error = messageOf(thrown)
    const last = events.at(-1)?.position ?? this.#lease.position
    const next = this.#pace.failed(events.length, last)
    if (next.type === 'stop') return this.#stop(error, last)
    if (next.type === 'again') {
      say(`the projection ${projection.name} cannot apply position ${last}, trying again: ${error}`)
      await noteTrouble(db, this.#lease, error, this.#pace.tries)
      await bell.pause(next.afterMs)
    }
    return true
  }

  async #stop(error: string, position: number | null): Promise<false> {
    const { db, projection, say } = this.#options
    const at = position === null ? '' : ` at position ${position}`
    say(`the projection ${projection.name} has failed${at}: ${error}`)
    await fail(db, this.#lease, { error, position, tries: this.#pace.tries })
    return false
  }
}

/** Why the log is not the one that was followed; null when it is. */
function complaintOf(lease: Lease, { head, epoch }: Standing): string | null {
  if (epoch !== lease.epoch) {
    return `the log is another one since it was restored: its epoch is ${epoch}, the rows are of ${lease.epoch}; build the projection anew`
  }
  if (head < lease.position) {
    return `the log ends at ${head}, before position ${lease.position} that the rows are of; build the projection anew`
  }
  return null
}

function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown).slice(0, ERROR_CHARS_MAX)
  const cause = thrown.cause instanceof Error ? `: ${thrown.cause.message}` : ''
  return `${thrown.message}${cause}`.slice(0, ERROR_CHARS_MAX)
}
