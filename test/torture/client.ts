import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { isRm3Error } from '../../src/errors.ts'
import { translated } from '../../src/pg/sqlstate.ts'
import { type Asked, clock, LedgerWriter } from './ledger.ts'
import { type Bug, PLANTED } from './planted.ts'
import { type Random, randomOf } from './random.ts'
import { READ_LIMIT, realStore, type Store } from './store.ts'

/** What a client is told. */
export interface ClientOptions {
  readonly url: string
  readonly site: string
  readonly seed: number
  /** Name of this client, part of its tokens. */
  readonly name: string
  readonly ledger: string
  readonly writers: number
  /** Loops that only read the hot streams. */
  readonly readers: number
  readonly streams: readonly string[]
  /** The first so many streams get half of all operations. */
  readonly hot: number
  readonly bug: Bug | null
}

const OVERLAP = 3
const RETRIES_MAX = 4
const READ_PAUSE_MS = 2
const READ_AFTER_APPEND = 0.3
const RETRY_PAUSE_MS = 30
const KEPT_MAX = 20

/** Reads and writes until it is told to end; everything it asked and was told goes to its ledger. */
export class Client {
  readonly #options: ClientOptions
  readonly #random: Random
  readonly #ledger: LedgerWriter
  readonly #store: Store
  /** The revision at which each stream was last. */
  readonly #known = new Map<string, number>()
  readonly #done: { token: string; events: Asked[] }[] = []
  #position = 0
  #tokens = 0
  isEnding = false

  constructor(options: ClientOptions) {
    this.#options = options
    this.#random = randomOf(options.seed)
    this.#ledger = new LedgerWriter(options.ledger)
    const open = options.bug === null ? realStore : PLANTED[options.bug]
    this.#store = open(options.url, options.site)
  }

  async run(): Promise<void> {
    const writers = Array.from({ length: this.#options.writers }, async () => {
      while (!this.isEnding) {
        await this.#operate()
        await turn() // refusals come without a wait; signals and sockets must be heard all the same
      }
    })
    const readers = Array.from({ length: this.#options.readers }, async () => {
      while (!this.isEnding) {
        await this.#readStream(this.#random.pick(this.#options.streams.slice(0, this.#options.hot)))
        await sleep(READ_PAUSE_MS)
      }
    })
    await Promise.all([...writers, ...readers])
    await this.#store.close()
    this.#ledger.close()
  }

  #operate(): Promise<void> {
    const dice = this.#random.below(100)
    if (dice < 18) return this.#readStream(this.#pickStream())
    if (dice < 28) return this.#readLog()
    if (dice < 30) return this.#repeat()
    return this.#append(dice < 45 ? 2 + this.#random.below(3) : 1, dice === 99)
  }

  #pickStream(): string {
    const { streams, hot } = this.#options
    return this.#random.chance(0.5)
      ? this.#random.pick(streams.slice(0, hot))
      : this.#random.pick(streams)
  }

  async #append(size: number, isDoubled: boolean): Promise<void> {
    const token = `${this.#options.name}-${this.#tokens++}`
    const events = Array.from({ length: size }, () => this.#pickStream()).map(stream => ({
      stream,
      revision: 0,
      eventId: this.#random.uuid(),
    }))
    const next = new Map<string, number>()
    for (const event of events) {
      const known = next.get(event.stream) ?? this.#known.get(event.stream) ?? 0
      event.revision = known + 1
      next.set(event.stream, known + 1)
    }
    const tries = isDoubled ? 2 : 1
    await Promise.all(Array.from({ length: tries }, () => this.#tryAppend(token, events)))
    const [first] = events
    if (first && this.#random.chance(READ_AFTER_APPEND)) await this.#readStream(first.stream)
  }

  /** Tries the same again while the outcome is unknown, or sometimes leaves it at that. */
  async #tryAppend(token: string, events: Asked[]): Promise<void> {
    for (let tries = 1; tries <= RETRIES_MAX; tries++) {
      if ((await this.#once(token, events)) !== 'unknown' || this.#random.chance(0.3)) return
      await sleep(RETRY_PAUSE_MS)
    }
  }

  async #once(token: string, events: Asked[]): Promise<'known' | 'unknown'> {
    const answer = this.#ledger.invoke(token, events)
    try {
      const position = await this.#store.append(token, events)
      answer({ result: 'ok', position })
      this.#position = Math.max(this.#position, position + events.length - 1)
      for (const { stream, revision } of events) this.#learn(stream, revision)
      this.#done[this.#random.below(KEPT_MAX)] = { token, events }
      return 'known'
    } catch (thrown) {
      const error = translated(thrown)
      if (isRm3Error(error, 'REVISION_CONFLICT')) {
        const { stream, actual } = error.details as { stream: string; actual: number }
        answer({ result: 'conflict', stream, actual })
        this.#known.set(stream, actual)
        return 'known'
      }
      if (isRm3Error(error, 'UNAVAILABLE')) {
        answer({ result: 'unknown' })
        return 'unknown'
      }
      answer({ result: 'fail', code: isRm3Error(error) ? error.code : String(error) })
      return 'known'
    }
  }

  /** Sends again what was acknowledged long ago: the same answer must come. */
  async #repeat(): Promise<void> {
    const kept = this.#done[this.#random.below(KEPT_MAX)]
    if (kept && this.#options.bug === null) await this.#once(kept.token, kept.events)
  }

  async #readStream(stream: string): Promise<void> {
    const from = Math.max(1, (this.#known.get(stream) ?? 0) + 1 - OVERLAP)
    const invoke = clock()
    const ids = await this.#store.readStream(stream, from).catch(pause)
    if (ids === null) return
    const isFull = ids.length === READ_LIMIT
    this.#ledger.streamRead({ stream, from, ids, isFull, invoke, complete: clock() })
    this.#learn(stream, from - 1 + ids.length)
  }

  async #readLog(): Promise<void> {
    const after = Math.max(0, this.#position - OVERLAP)
    const invoke = clock()
    const ids = await this.#store.readLog(after).catch(pause)
    if (ids === null) return
    const isFull = ids.length === READ_LIMIT
    this.#ledger.logRead({ after, ids, isFull, invoke, complete: clock() })
    this.#position = Math.max(this.#position, after + ids.length)
  }

  #learn(stream: string, revision: number): void {
    if (revision > (this.#known.get(stream) ?? 0)) this.#known.set(stream, revision)
  }
}

/** A read that failed tells nothing; the server may be away. */
async function pause(): Promise<null> {
  await sleep(RETRY_PAUSE_MS)
  return null
}
