import type { Listener } from '../pg/listen.ts'

/** How long notices of appends are gathered before one is sent. */
const GATHER_MS = 20

type Woken = (position: number) => void

/**
 * Tells when the log has grown, in this process at once and in others by NOTIFY. Only a hint: a notice may get lost, so whoever
 * follows the log looks by himself now and then too.
 */
export class Wakeups {
  readonly #listener: Listener
  readonly #listeners = new Set<Woken>()
  #timer: NodeJS.Timeout | null = null
  #position = 0

  constructor(listener: Listener) {
    this.#listener = listener
    listener.onNotice(text => this.#wake(Number(text)))
  }

  /** Whether appends of other processes are heard of just now. */
  get isListening(): boolean {
    return this.#listener.isListening
  }

  /** An append of this process was committed. One NOTIFY goes out for all within 20 ms, on another connection. */
  appended(position: number): void {
    this.#wake(position)
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#listener.notify(String(this.#position))
    }, GATHER_MS).unref()
  }

  /**
   * Calls `woken` with a position that the log has reached. It may be called twice for one and late for another.
   *
   * @returns what ends that
   */
  subscribe(woken: Woken): () => void {
    this.listen()
    return this.watch(woken)
  }

  /** Begins to hear of other processes' appends too. */
  listen(): void {
    this.#listener.open()
  }

  /** As `subscribe`, of what this process hears anyway: nothing is opened for it. */
  watch(woken: Woken): () => void {
    this.#listeners.add(woken)
    return () => {
      this.#listeners.delete(woken)
    }
  }

  /** Ends it; what was gathered goes out first: a command or a worker may end as soon as it has written. */
  async close(): Promise<void> {
    this.#listeners.clear()
    if (this.#timer) {
      clearTimeout(this.#timer)
      this.#listener.notify(String(this.#position))
    }
    await this.#listener.close()
  }

  #wake(position: number): void {
    if (!Number.isSafeInteger(position)) return
    this.#position = Math.max(this.#position, position)
    for (const woken of this.#listeners) woken(position)
  }
}
