import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parentPort, Worker } from 'node:worker_threads'
import { type ErrorCode, Rm3Error } from '../errors.ts'

/** More would be in each other's way: the database works as much as they do. */
const THREADS_MAX = 4

/** Most of what a fold makes is of no use an event later. More than this only makes the process larger: it takes no less time. */
const LIMITS = { maxYoungGenerationSizeMb: 16 }

/** A shorter log is folded before threads have started. */
const THREADS_FROM_EVENTS = 50_000

/** How many threads a rebuild or a check is worth here. */
export function usualThreads(): number {
  return Math.min(availableParallelism(), THREADS_MAX)
}

/** As `usualThreads`, of a log with so many events: 0 when it is short. */
export function threadsFor(events: number): number {
  return events > THREADS_FROM_EVENTS ? usualThreads() : 0
}

/** What a thread says: a result, or an error that the caller can act on, which does not cross whole. */
type Told<Result> =
  | { readonly result: Result }
  | { readonly code: ErrorCode; readonly message: string; readonly details: object }

/**
 * Runs one of this folder's thread files once for each of `datas`, all at once.
 *
 * @param file its name without suffix
 * @param onResult told each result of each thread
 * @throws what a thread threw; the others are stopped then
 */
export async function runThreads<Result>(
  file: string,
  datas: readonly unknown[],
  options: { signal?: AbortSignal | undefined; onResult?: (result: Result) => void },
): Promise<void> {
  const { signal, onResult } = options
  const path = join(import.meta.dirname, `${file}.js`)
  const workers = datas.map(workerData => new Worker(path, { workerData, resourceLimits: LIMITS }))
  const stop = () => {
    for (const worker of workers) void worker.terminate()
  }
  signal?.addEventListener('abort', stop, { once: true })
  try {
    await Promise.all(workers.map(worker => ended(worker, onResult)))
    signal?.throwIfAborted()
  } finally {
    signal?.removeEventListener('abort', stop)
    stop()
  }
}

async function ended<Result>(
  worker: Worker,
  onResult: ((result: Result) => void) | undefined,
): Promise<void> {
  let thrown: unknown = null
  worker.on('message', (told: Told<Result>) => {
    if ('result' in told) onResult?.(told.result)
    else thrown = new Rm3Error(told.code, told.message, { ...told.details })
  })
  await once(worker, 'exit')
  if (thrown !== null) throw thrown
}

/** What a thread file does; nothing when it is not run as a thread. */
export async function asThread<Result>(
  work: (tell: (result: Result) => void) => Promise<void>,
): Promise<void> {
  const port = parentPort
  if (port === null) return
  try {
    await work(result => port.postMessage({ result }))
  } catch (thrown) {
    if (!(thrown instanceof Rm3Error)) throw thrown
    const { code, message, details } = thrown
    port.postMessage({ code, message, details })
  }
}
