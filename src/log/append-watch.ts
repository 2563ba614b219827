import { isRm3Error } from '../errors.ts'
import type { Appender } from './append.ts'
import { QUEUE_MAX } from './append-queue.ts'

/** Told what the appends of a process come to. */
export interface AppendObserver {
  /** A batch of that many appends is sent. */
  readonly sent: (appends: number) => void
  /** An append was answered: `done`, `repeated`, the code of what refused it, or `ERROR`; `seconds` since it was asked for. */
  readonly answered: (outcome: string, seconds: number) => void
}

/** What looks at the appends of a process. */
export interface Appends {
  /** How many are not answered yet. */
  readonly waiting: number
  /** Why this process should be given no writes just now; null when there is no reason. */
  readonly trouble: string | null
  /** @returns what ends that */
  observe(observer: AppendObserver): () => void
}

/** How long a process that could not reach the log is spared: then it is tried again. */
const SPARED_MS = 10_000

/** Answers that came from the log. */
const THROUGH = new Set([
  'done',
  'repeated',
  'REVISION_CONFLICT',
  'RIGHTS_CHANGED',
  'EVENT_ID_REUSED',
])

/** Counts what waits, and tells observers what becomes of it. */
export class AppendWatch implements Appends {
  readonly #observers = new Set<AppendObserver>()
  #waiting = 0
  #sparedUntil = 0

  get waiting(): number {
    return this.#waiting
  }

  get trouble(): string | null {
    if (this.#waiting >= QUEUE_MAX) return `${this.#waiting} writes are waiting`
    return performance.now() < this.#sparedUntil ? 'writes do not reach the log' : null
  }

  observe(observer: AppendObserver): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  /** To be told of each batch that is sent. */
  sent(appends: number): void {
    for (const observer of this.#observers) observer.sent(appends)
  }

  /** An appender of which this watch knows everything. */
  over(appender: Pick<Appender, 'append'>): Pick<Appender, 'append'> {
    return {
      append: async request => {
        const began = performance.now()
        this.#waiting++
        let outcome = 'ERROR'
        try {
          const appended = await appender.append(request)
          outcome = appended.repeated ? 'repeated' : 'done'
          return appended
        } catch (thrown) {
          if (isRm3Error(thrown)) outcome = thrown.code
          throw thrown
        } finally {
          this.#answered(outcome, began)
        }
      },
    }
  }

  /** Only a log that cannot be reached is held against this process: a full disk or a long lock stops the writes of all alike. */
  #answered(outcome: string, began: number): void {
    const now = performance.now()
    this.#waiting--
    if (outcome === 'UNAVAILABLE') this.#sparedUntil = now + SPARED_MS
    else if (THROUGH.has(outcome)) this.#sparedUntil = 0
    for (const observer of this.#observers) observer.answered(outcome, (now - began) / 1000)
  }
}
