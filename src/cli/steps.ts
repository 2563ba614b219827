import type { Call } from './command.ts'
import type { Progress } from './progress.ts'

/** Progress of a work that has several steps, one after the other. */
export class Steps {
  readonly #call: Call
  readonly #shown = new Map<string, Progress>()

  constructor(call: Call) {
    this.#call = call
  }

  update(step: string, done: number, total: number): void {
    const progress = this.#shown.get(step) ?? this.#call.progress(step)
    this.#shown.set(step, progress)
    progress.update(done, total)
  }

  /** Takes the lines away. */
  end(): void {
    for (const progress of this.#shown.values()) progress.end()
  }
}
