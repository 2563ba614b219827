import type { Call } from './command.ts'
import type { Progress } from './progress.ts'

type OnProgress = (step: string, done: number, total: number) => void

/** Does work that tells how far each of its steps is, and shows it. */
export async function withSteps<Result>(
  call: Call,
  work: (onProgress: OnProgress) => Promise<Result>,
): Promise<Result> {
  const shown = new Map<string, Progress>()
  const progressOf = (step: string): Progress => {
    const known = shown.get(step) ?? call.progress(step)
    shown.set(step, known)
    return known
  }
  try {
    return await work((step, done, total) => progressOf(step).update(done, total))
  } finally {
    for (const progress of shown.values()) progress.end()
  }
}
