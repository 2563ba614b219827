import pgListen, { type Subscriber } from 'pg-listen'
import { Connection } from './connection.ts'
import { connectionOptions, type PoolOptions } from './pool.ts'

/** A dead connection is noticed after this and the answer's deadline; a LISTEN does not notice by itself. */
const HEARTBEAT_MS = 10_000
const ANSWER_MS = 5_000
const RETRY_MS = 500
const LAST_MS = 1_000
const NOTIFY = 'select pg_notify($1::text, $2::text)'

/**
 * Notices between the processes of a site, over NOTIFY. They may get lost whenever a connection does.
 *
 * Nothing is opened before it is needed: the first `open` connects for listening, the first `notify` for sending.
 */
export class Listener {
  readonly #channel: string
  readonly #options: PoolOptions
  readonly #sender: Connection
  #subscriber: Subscriber | null = null
  #heartbeat: NodeJS.Timeout | null = null
  #onNotice: (text: string) => void = () => {}
  #opening = false
  #sending: Promise<void> | null = null
  #unsent: string | null = null
  #closed = false

  constructor(options: PoolOptions) {
    this.#channel = `${options.site}_log`
    this.#options = { ...options, applicationName: 'rm3 notices', statementTimeoutMs: ANSWER_MS }
    this.#sender = new Connection(this.#options)
  }

  /** Who is told; one only. */
  onNotice(onNotice: (text: string) => void): void {
    this.#onNotice = onNotice
  }

  /** Begins to listen, again and again until it succeeds; without effect when it does already. */
  open(): void {
    if (this.#opening || this.#closed) return
    this.#opening = true
    void this.#connect()
  }

  /** Whether notices come in just now, as far as is known: a silent connection is told after its next heartbeat. */
  get isListening(): boolean {
    return this.#heartbeat !== null && this.#subscriber !== null
  }

  /** Sends a notice; that it gets lost when the database is away is no error. Of those that wait for one another the last goes. */
  notify(text: string): void {
    this.#unsent = text
    this.#sending ??= this.#send()
  }

  async #send(): Promise<void> {
    while (this.#unsent !== null && !this.#closed) {
      const text = this.#unsent
      this.#unsent = null
      await this.#sender.rows(NOTIFY, [this.#channel, text]).catch(() => {})
    }
    this.#sending = null
  }

  /** Ends it. A notice that is being sent has a second to go out. */
  async close(): Promise<void> {
    this.#closed = true
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, LAST_MS)
    })
    await Promise.race([this.#sending, late])
    clearTimeout(timer)
    if (this.#heartbeat) clearTimeout(this.#heartbeat)
    await Promise.all([this.#drop(), this.#sender.close()])
  }

  async #connect(): Promise<void> {
    const subscriber = pgListen.default(
      { ...connectionOptions(this.#options), query_timeout: ANSWER_MS },
      { paranoidChecking: false, parse: text => text, retryLimit: 1 },
    )
    this.#subscriber = subscriber
    subscriber.notifications.on(this.#channel, text => this.#onNotice(String(text)))
    // a lost connection is thrown away whole and made anew here, where it is also told from a silent one
    subscriber.events.on('error', () => void this.#again(subscriber))
    try {
      await subscriber.connect()
      await subscriber.listenTo(this.#channel)
      this.#beat(subscriber)
    } catch {
      await this.#again(subscriber)
    }
  }

  #beat(subscriber: Subscriber): void {
    this.#heartbeat = setTimeout(() => {
      Promise.resolve(subscriber.notify(`${this.#channel}_beat`, '')).then(
        () => this.#beat(subscriber),
        () => void this.#again(subscriber),
      )
    }, HEARTBEAT_MS).unref()
  }

  async #again(lost: Subscriber): Promise<void> {
    if (this.#subscriber !== lost) return
    await this.#drop()
    if (this.#closed) return
    setTimeout(() => void this.#connect(), RETRY_MS).unref()
  }

  async #drop(): Promise<void> {
    const subscriber = this.#subscriber
    this.#subscriber = null
    if (this.#heartbeat) clearTimeout(this.#heartbeat)
    this.#heartbeat = null
    await subscriber?.close().catch(() => {}) // it may be lost already
  }
}
