import type { Wakeups } from '../log/wakeups.ts'

/** Wakes one who waits for the log to grow; a ring while nobody waits is not lost. */
export class Bell {
  readonly #signal: AbortSignal
  readonly #unsubscribe: () => void
  #rang = false
  #wake: (() => void) | null = null

  /** @param signal ends all waiting when aborted */
  constructor(wakeups: Wakeups | null, signal: AbortSignal) {
    this.#signal = signal
    const end = wakeups?.subscribe(() => this.#ring())
    this.#unsubscribe = () => end?.()
    signal.addEventListener('abort', () => this.#ring(), { once: true })
  }

  /** What rang before counts no more: about to look at the log. */
  reset(): void {
    this.#rang = false
  }

  /** Waits until it rings, but not longer than that. */
  async rung(timeoutMs: number): Promise<void> {
    if (this.#rang) return
    await this.#sleep(timeoutMs, true)
  }

  /** Waits that long, however often it rings; less when all is to end. */
  async pause(ms: number): Promise<void> {
    await this.#sleep(ms, false)
  }

  close(): void {
    this.#unsubscribe()
  }

  #sleep(ms: number, isWoken: boolean): Promise<void> {
    if (this.#signal.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer)
        this.#wake = null
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#wake = () => {
        if (isWoken || this.#signal.aborted) done()
      }
    })
  }

  #ring(): void {
    this.#rang = true
    this.#wake?.()
  }
}
