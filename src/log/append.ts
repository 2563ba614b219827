import { isRm3Error, Rm3Error } from '../errors.ts'
import type { Connection } from '../pg/connection.ts'
import type { Db } from '../pg/db.ts'
import { violatedConstraint } from '../pg/sqlstate.ts'
import { type AppendRequest, encodeBatch, type Prepared, prepare } from './batch.ts'

/** Where an append went. */
export interface Appended {
  /** Position of its first event; the others follow without a gap. */
  readonly position: number
  readonly recordedAt: string
  /** Its first event id was in the log already: nothing was written now. */
  readonly repeated: boolean
}

/** Most appends, bytes of events and waiting appends of one process. */
const BATCH_MAX = 200
const BATCH_BYTES_MAX = 2_000_000
const QUEUE_MAX = 2_000
/** Times that a batch is sent again when its answer was lost or another process held the lock too long. */
const TRIES_MAX = 3

interface Waiting extends Prepared {
  readonly resolve: (appended: Appended) => void
  readonly reject: (thrown: unknown) => void
}

interface Outcome {
  readonly append: number
  readonly outcome: 'done' | 'repeated' | 'conflict'
  readonly position: number
  readonly recorded_at: string
  readonly stream: string
  readonly revision: number
}

/**
 * The write end of the log: group commit. Appends that arrive while one call is under way go together in the next, so that many
 * writers share one lock and one flush to disk; a lone one waits for nothing.
 *
 * Each append still stands or falls alone: a conflict or an error of one never touches another.
 */
export class Appender {
  readonly #lanes: Connection[]
  readonly #queue: Waiting[] = []
  readonly #busyStreams = new Set<string>()
  readonly #idle: Connection[]
  readonly #onAppended: (position: number) => void

  /**
   * @param lanes connections of its own; with two, one batch is sent while the other is being flushed
   * @param onAppended told the last position after each batch that wrote something
   */
  constructor(lanes: Connection[], onAppended: (position: number) => void) {
    this.#lanes = lanes
    this.#idle = [...lanes]
    this.#onAppended = onAppended
  }

  /**
   * Appends events, durably when it fulfils.
   *
   * @throws REVISION_CONFLICT {stream, expected, actual}, EVENT_ID_REUSED, LOG_BUSY (queue full or lock held), UNAVAILABLE (nothing is
   *   known of the outcome: sending the same event ids again is safe), or what an inline projection's constraint refused
   */
  append(request: AppendRequest): Promise<Appended> {
    if (this.#queue.length >= QUEUE_MAX) {
      return Promise.reject(
        new Rm3Error('LOG_BUSY', `${QUEUE_MAX} writes are waiting already; try again shortly`),
      )
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...prepare(request), resolve, reject })
      this.#next()
    })
  }

  /** Ends the connections once nothing waits any more. */
  async close(): Promise<void> {
    while (this.#queue.length > 0 || this.#idle.length < this.#lanes.length) {
      await new Promise(done => setTimeout(done, 5))
    }
    await Promise.all(this.#lanes.map(lane => lane.close()))
  }

  #next(): void {
    const lane = this.#idle.pop()
    if (lane === undefined) return
    const batch = this.#take()
    if (batch.length === 0) {
      this.#idle.push(lane)
      return
    }
    void this.#run(lane, batch).finally(() => {
      for (const { streams } of batch)
        for (const stream of streams) this.#busyStreams.delete(stream)
      this.#idle.push(lane)
      this.#next()
    })
  }

  /** The next batch: oldest first, at most one append to a stream, whose expected revision the one before decides. */
  #take(): Waiting[] {
    const batch: Waiting[] = []
    const left: Waiting[] = []
    let sizeBytes = 0
    for (const waiting of this.#queue) {
      const full =
        batch.length === BATCH_MAX ||
        (batch.length > 0 && sizeBytes + waiting.sizeBytes > BATCH_BYTES_MAX)
      if (full || overlaps(waiting.streams, this.#busyStreams)) {
        left.push(waiting)
        continue
      }
      batch.push(waiting)
      sizeBytes += waiting.sizeBytes
      for (const stream of waiting.streams) this.#busyStreams.add(stream)
    }
    this.#queue.splice(0, this.#queue.length, ...left)
    return batch
  }

  /** Never rejects: each append of the batch gets its own answer. */
  async #run(lane: Connection, batch: readonly Waiting[]): Promise<void> {
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

  async #send(lane: Connection, batch: readonly Waiting[]): Promise<Outcome[]> {
    const { text, values } = statementOf(batch)
    for (let tries = 1; ; tries++) {
      try {
        return await lane.rows<Outcome>(text, values)
      } catch (thrown) {
        const passing = isRm3Error(thrown, 'UNAVAILABLE') || isRm3Error(thrown, 'LOG_BUSY')
        if (!passing || tries === TRIES_MAX) throw thrown
      }
    }
  }

  /** A batch that throws is run again in halves, so that only the bad append fails; a server that is away fails them all. */
  async #split(lane: Connection, batch: readonly Waiting[], thrown: unknown): Promise<void> {
    const [first] = batch
    if (first === undefined) return
    if (batch.length === 1) {
      first.reject(reused(thrown) ?? thrown)
      return
    }
    if (isRm3Error(thrown) && SERVER_SIDE.has(thrown.code)) {
      for (const { reject } of batch) reject(thrown)
      return
    }
    const middle = Math.ceil(batch.length / 2)
    await this.#run(lane, batch.slice(0, middle))
    await this.#run(lane, batch.slice(middle))
  }

  /** Settles what was answered; what is returned was not written and goes again. */
  #answer(batch: readonly Waiting[], outcomes: Outcome[]): readonly Waiting[] {
    const answered = new Set<Waiting>()
    let last = 0
    for (const {
      append,
      outcome,
      position,
      recorded_at: recordedAt,
      stream,
      revision,
    } of outcomes) {
      const waiting = batch[append]
      if (waiting === undefined || answered.has(waiting)) continue
      answered.add(waiting)
      if (outcome === 'conflict') {
        waiting.reject(conflict(waiting, stream, revision))
      } else {
        if (outcome === 'done') last = Math.max(last, position + waiting.encoded.length - 1)
        waiting.resolve({ position, recordedAt, repeated: outcome === 'repeated' })
      }
    }
    if (last > 0) this.#onAppended(last)
    return batch.filter(waiting => !answered.has(waiting))
  }
}

function statementOf(batch: readonly Prepared[]): { text: string; values: unknown[] } {
  const { events, rights, writers, rows } = encodeBatch(batch)
  const places = rows.map((_, n) => `$${n + 4}::json`).join(', ')
  const text = `select * from append($1::json, $2::boolean, $3::text[], array[${places}]::json[])`
  return { text, values: [events, rights, writers, ...rows] }
}

/**
 * Appends inside the caller's transaction, which holds the log's lock from then on until it ends: for a load, of which nothing may
 * stay when it fails half way.
 *
 * @throws REVISION_CONFLICT {stream, expected, actual}, EVENT_ID_REUSED, LOG_BUSY, UNAVAILABLE
 */
export async function appendIn(db: Db, request: AppendRequest): Promise<Appended> {
  const prepared = prepare(request)
  const { text, values } = statementOf([prepared])
  const [row] = await db.rows<Outcome>(text, values).catch(thrown => {
    throw reused(thrown) ?? thrown
  })
  if (row === undefined) throw new Error('append gave no answer')
  if (row.outcome === 'conflict') throw conflict(prepared, row.stream, row.revision)
  const { position, recorded_at: recordedAt, outcome } = row
  return { position, recordedAt, repeated: outcome === 'repeated' }
}

/** Codes that say nothing about the appends themselves. */
const SERVER_SIDE = new Set(['UNAVAILABLE', 'LOG_BUSY', 'TIMEOUT', 'DISK_FULL'])

function overlaps(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const one of some) if (others.has(one)) return true
  return false
}

/** The first event id was new, so the whole append was not sent before, yet another of its ids is in the log. */
function reused(thrown: unknown): Rm3Error | null {
  if (violatedConstraint(thrown) !== 'log_event_id') return null
  return new Rm3Error('EVENT_ID_REUSED', 'an event id was used before for another event', {
    cause: thrown,
  })
}

function conflict(waiting: Prepared, stream: string, actual: number): Rm3Error {
  const first = waiting.request.entries.find(entry => entry.stream === stream)
  const expected = (first?.revision ?? 1) - 1
  return new Rm3Error(
    'REVISION_CONFLICT',
    `the stream is at revision ${actual}, not ${expected} as expected`,
    { stream, expected, actual },
  )
}
