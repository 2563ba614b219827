import { setTimeout as sleep } from 'node:timers/promises'
import { isRm3Error, Rm3Error } from '../errors.ts'
import type { Connection } from '../pg/connection.ts'
import type { Db } from '../pg/db.ts'
import { violatedConstraint } from '../pg/sqlstate.ts'
import { AppendCall, type Outcome } from './append-call.ts'
import { AppendQueue, type Waiting } from './append-queue.ts'
import { type AppendRequest, prepare } from './batch.ts'

/** Where an append went. */
export interface Appended {
  /** Position of its first event; the others follow without a gap. */
  readonly position: number
  readonly recordedAt: string
  /** All of it was in the log already: nothing was written now. */
  readonly repeated: boolean
}

/** How long a batch is sent again when its answer was lost or another process held the lock too long, and the pauses between. */
const RETRY_MS = 8_000
const PAUSE_MS = 50
const PAUSE_MAX_MS = 500
const CLOSE_POLL_MS = 5
/** Fewer appends than this are not divided among lanes. */
const SHARE_MIN = 8

/**
 * Settings of an Appender's connections: `append` finds rows by keys only, a batch of them at most, so its plans are made once and are
 * always walks of indexes. Planning a lone append anew took twice its time; a plan made while a table was empty would scan it for ever.
 * A scan that is switched off counts as so dear where it must be used that the server would compile the plan: 600 ms an append.
 */
export const APPEND_SETTINGS = [
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'jit=off',
]

/** A connection of its own, and the batch that goes through it. */
interface Lane {
  readonly connection: Connection
  readonly call: AppendCall
}

/**
 * The write end of the log: group commit. Appends that arrive while one call is under way go together in the next, so that many
 * writers share one lock and one flush to disk; a lone one waits for nothing.
 *
 * Each append still stands or falls alone: a conflict or an error of one never touches another.
 */
export class Appender {
  readonly #lanes: readonly Lane[]
  readonly #queue = new AppendQueue()
  readonly #idle: Lane[]
  readonly #onAppended: (position: number) => void
  readonly #onSent: (appends: number) => void
  #isClosing = false
  #isDue = false
  /** Appends that were sent and not answered. */
  #sent = 0

  /**
   * @param lanes connections of its own; with two, one batch is sent while the other is being flushed
   * @param onAppended told the last position after each batch that wrote something
   * @param onSent told the size of each batch
   */
  constructor(
    lanes: Connection[],
    onAppended: (position: number) => void,
    onSent: (appends: number) => void = () => {},
  ) {
    this.#lanes = lanes.map(connection => ({ connection, call: new AppendCall(connection) }))
    this.#idle = [...this.#lanes]
    this.#onAppended = onAppended
    this.#onSent = onSent
  }

  /**
   * Appends events, durably when it fulfils. Sending the same event ids with the same content again is safe and gives the first
   * answer.
   *
   * @throws REVISION_CONFLICT {stream, expected, actual}, RIGHTS_CHANGED (since `rightsAt`), EVENT_ID_REUSED, REQUEST_INVALID, JSON_INVALID, LOG_BUSY (too much waits, or
   *   the lock was held too long), TIMEOUT, DISK_FULL, or what an inline projection's constraint refused: nothing was written.
   *   UNAVAILABLE: nothing is known, it may be written later even
   */
  append(request: AppendRequest): Promise<Appended> {
    return new Promise((resolve, reject) => {
      if (this.#isClosing) throw new Rm3Error('UNAVAILABLE', 'rm3 is shutting down')
      this.#queue.add({ ...prepare(request), resolve, reject, lost: false })
      this.#soon()
    })
  }

  /** Takes no more appends, and ends the connections once nothing waits any more. */
  async close(): Promise<void> {
    this.#isClosing = true
    while (this.#queue.length > 0 || this.#idle.length < this.#lanes.length) {
      await sleep(CLOSE_POLL_MS)
    }
    await Promise.all(this.#lanes.map(({ connection }) => connection.close()))
  }

  /** Once all that happens in this turn of the event loop has happened: what else is appended in it goes along. */
  #soon(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      this.#next()
    })
  }

  #next(): void {
    for (let lane = this.#idle.at(-1); lane; lane = this.#idle.at(-1)) {
      const batch = this.#queue.take(this.#share())
      if (batch.length === 0) return
      this.#idle.pop()
      this.#sent += batch.length
      this.#onSent(batch.length)
      const used = lane
      void this.#run(used, batch).finally(() => {
        this.#queue.done(batch)
        this.#sent -= batch.length
        this.#idle.push(used)
        this.#soon()
      })
    }
  }

  /**
   * How many of those that wait may go now: such a part of all that are on their way that each lane has as many, and this process
   * prepares one batch while the database writes another. While one is being written few are kept until it is: alone they would cost a
   * flush to disk.
   */
  #share(): number {
    const { length } = this.#queue
    const even = Math.max(SHARE_MIN, Math.ceil((length + this.#sent) / this.#lanes.length))
    return this.#sent > 0 && length < even / 2 ? 0 : even
  }

  /** Never rejects: each append of the batch gets its own answer. */
  async #run(lane: Lane, batch: readonly Waiting[]): Promise<void> {
    let left = batch
    while (left.length > 0) {
      const outcomes = await this.#send(lane, left).catch(thrown => thrown as unknown)
      if (!Array.isArray(outcomes)) {
        await this.#split(lane, left, outcomes)
        return
      }
      left = this.#answer(left, outcomes as Outcome[])
    }
  }

  async #send(lane: Lane, batch: readonly Waiting[]): Promise<Outcome[]> {
    const until = performance.now() + RETRY_MS
    for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS)) {
      try {
        return await lane.call.send(batch)
      } catch (thrown) {
        if (isRm3Error(thrown, 'UNAVAILABLE')) for (const waiting of batch) waiting.lost = true
        else if (!isRm3Error(thrown, 'LOG_BUSY')) throw thrown
        if (this.#isClosing || performance.now() + pauseMs > until) throw thrown
      }
      await sleep(pauseMs)
    }
  }

  /** A batch that throws is run again in halves, so that only the bad append fails; a server that is away fails them all. */
  async #split(lane: Lane, batch: readonly Waiting[], thrown: unknown): Promise<void> {
    if (batch.length === 1 || (isRm3Error(thrown) && SERVER_SIDE.has(thrown.code))) {
      for (const waiting of batch) waiting.reject(refusal(waiting, thrown))
      return
    }
    const middle = Math.ceil(batch.length / 2)
    await this.#run(lane, batch.slice(0, middle))
    await this.#run(lane, batch.slice(middle))
  }

  /** Settles what was answered; what is returned was not written and goes again. */
  #answer(batch: readonly Waiting[], outcomes: readonly Outcome[]): readonly Waiting[] {
    const answered = new Set<Waiting>()
    let last = 0
    for (const [waiting, outcome] of outcomesOf(batch, outcomes)) {
      answered.add(waiting)
      if (settle(waiting, outcome)) {
        last = Math.max(last, outcome.position + waiting.request.entries.length - 1)
      }
    }
    if (last > 0) queueMicrotask(() => this.#onAppended(last))
    return batch.filter(waiting => !answered.has(waiting))
  }
}

/**
 * Each append that was answered, with what was said of it. Of several that stand in the way of one append the first counts. That rights
 * have changed is said to those that rest on them.
 */
function outcomesOf(
  batch: readonly Waiting[],
  outcomes: readonly Outcome[],
): Iterable<[Waiting, Outcome]> {
  const [first] = outcomes
  const pairs = new Map<Waiting, Outcome>()
  if (first?.outcome === 'rights') {
    return batch.filter(it => it.request.rightsAt != null).map(it => [it, first])
  }
  if (first?.append === null) {
    let { position } = first
    for (const waiting of batch) {
      pairs.set(waiting, { ...first, position })
      position += waiting.request.entries.length
    }
    return pairs
  }
  for (const outcome of outcomes) {
    const waiting = batch[outcome.append ?? 0]
    if (waiting !== undefined && !pairs.has(waiting)) pairs.set(waiting, outcome)
  }
  return pairs
}

/**
 * Appends inside the caller's transaction, which holds the log's lock from the first one on until it ends: for a load, of which nothing
 * may stay when it fails half way.
 */
export function transactionAppender(db: Db): Pick<Appender, 'append'> {
  const call = new AppendCall(db)
  return {
    append: async request => {
      const prepared = prepare(request)
      const [outcome] = await call.send([prepared])
      return new Promise((resolve, reject) => {
        settle({ ...prepared, lost: false, resolve, reject }, outcome as Outcome)
      })
    },
  }
}

/** Codes that say nothing about the appends themselves. */
const SERVER_SIDE = new Set(['UNAVAILABLE', 'LOG_BUSY', 'TIMEOUT', 'DISK_FULL'])

/** Answers an append; whether the log grew by it, now or when the answer was lost. */
function settle(waiting: Waiting, outcome: Outcome): boolean {
  const { position, recorded_at: recordedAt, stream, revision } = outcome
  switch (outcome.outcome) {
    case 'conflict':
      waiting.reject(conflict(waiting, stream, revision))
      return false
    case 'reused':
      waiting.reject(reused())
      return false
    case 'rights':
      waiting.reject(waiting.lost ? unknown(null) : rightsChanged())
      return false
    case 'repeated':
      waiting.resolve({ position, recordedAt, repeated: true })
      return waiting.lost
    case 'done':
      waiting.resolve({ position, recordedAt, repeated: false })
      return true
  }
}

/** What an append is told that failed with `thrown`. Once an answer was lost, no failure says that it was not written. */
function refusal(waiting: Waiting, thrown: unknown): unknown {
  if (waiting.lost && !isRm3Error(thrown, 'UNAVAILABLE')) return unknown(thrown)
  return violatedConstraint(thrown) === 'log_event_id' ? reused(thrown) : thrown
}

function unknown(cause: unknown): Rm3Error {
  return new Rm3Error(
    'UNAVAILABLE',
    'the connection was lost before the database answered: whether it was written is not known; sending it again is safe',
    { cause },
  )
}

function reused(cause?: unknown): Rm3Error {
  return new Rm3Error('EVENT_ID_REUSED', 'an event id was used before for another event', { cause })
}

function rightsChanged(): Rm3Error {
  return new Rm3Error('RIGHTS_CHANGED', 'rights were changed at the same moment; try again')
}

function conflict(waiting: Waiting, stream: string, actual: number): Rm3Error {
  const first = waiting.request.entries.find(entry => entry.stream === stream)
  const expected = (first?.revision ?? 1) - 1
  if (waiting.lost && actual < expected) return unknown(null)
  return new Rm3Error(
    'REVISION_CONFLICT',
    `the stream is at revision ${actual}, not ${expected} as expected`,
    { stream, expected, actual },
  )
}
