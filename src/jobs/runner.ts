import { fileURLToPath } from 'node:url'
import type { Worker as Thread } from 'node:worker_threads'
import type Bree from 'bree'
import type { Json } from '../codec/json.ts'
import type { SitePlace, ThreadMessage, ThreadTask } from './messages.ts'

/** How a run ended. `lost`: another process has its lease; `stopped`: as we were told to stop. */
export type Ended =
  | { readonly type: 'done'; readonly report: Json }
  | { readonly type: 'failed'; readonly error: string; readonly position: number | null }
  | { readonly type: 'stopped' }
  | { readonly type: 'lost' }

export interface Run {
  readonly task: Omit<ThreadTask, 'place'>
  readonly timeoutMs: number
  /** Keeps the lease, with how far the run is. @returns false when it is another's now */
  readonly renew: (progress: string | null) => Promise<boolean>
}

/** What is waited for before a thread is stopped by force. */
export interface Patience {
  /** Without a sign of life, as in a loop that never ends. */
  readonly silentMs: number
  /** Between being told to stop and being ended. */
  readonly graceMs: number
  readonly renewMs: number
}

export const PATIENCE: Patience = { silentMs: 15_000, graceMs: 5_000, renewMs: 5_000 }
const WATCH_MS = 250
/** A thread that needs more ends with an error, and nothing else with it. */
const THREAD_HEAP_MB = 512

type Why = 'timeout' | 'silent' | 'stopped' | 'lost'

interface Running {
  readonly run: Run
  /** When the thread first showed that it is there: from then on its time counts. */
  started: number | null
  readonly end: (ended: Ended) => void
  beat: number
  renewed: number
  progress: string | null
  told: number | null
  why: Why | null
  result: Ended | null
  crash: string | null
}

/**
 * Runs workers in threads of bree, one for each run and none kept. bree has no deadline and its `stop` waits for ever for a thread that
 * does not answer, so each thread is watched here: one that is late is asked to stop and then ended, one that is silent is ended.
 */
export class Runner {
  readonly #place: SitePlace
  readonly #say: (line: string) => void
  readonly #patience: Patience
  readonly #running = new Map<string, Running>()
  #bree: Promise<Bree> | null = null
  #watch: NodeJS.Timeout | null = null

  constructor(place: SitePlace, say: (line: string) => void, patience: Patience = PATIENCE) {
    this.#place = place
    this.#say = say
    this.#patience = patience
  }

  get size(): number {
    return this.#running.size
  }

  isRunning(name: string): boolean {
    return this.#running.has(name)
  }

  /** Runs a worker to its end. Never rejects. */
  async run(run: Run): Promise<Ended> {
    const { name } = run.task
    const now = Date.now()
    let end: (ended: Ended) => void = () => {}
    const ended = new Promise<Ended>(resolve => {
      end = resolve
    })
    this.#running.set(name, {
      ...{ run, end, started: null, beat: now, renewed: now },
      ...{ progress: null, told: null, why: null, result: null, crash: null },
    })
    this.#watch ??= setInterval(() => this.#look(), WATCH_MS)
    try {
      const bree = await this.#loaded()
      const worker = {
        workerData: { task: { ...run.task, place: this.#place } satisfies ThreadTask },
        resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
        ...{ stdout: true, stderr: true },
      }
      await bree.add({ name, path: THREAD, timeout: false, worker })
      await bree.run(name)
    } catch (thrown) {
      this.#finish(name, { type: 'failed', error: messageOf(thrown), position: null })
    }
    return ended
  }

  /** Asks all runs to end, and ends those that do not. Fulfils when there are none, in `graceMs` and a little. */
  async stop(): Promise<void> {
    for (const running of this.#running.values()) this.#tell(running, 'stopped')
    while (this.#running.size > 0) await new Promise(resolve => setTimeout(resolve, WATCH_MS / 5))
  }

  /** Only when the first run is due: an idle process need not hold it. */
  #loaded(): Promise<Bree> {
    this.#bree ??= this.#load()
    return this.#bree
  }

  async #load(): Promise<Bree> {
    const { default: Bree } = await import('bree')
    const bree = new Bree({
      ...{ root: false, doRootCheck: false, logger: false, removeCompleted: true },
      workerMessageHandler: ({ name, message }) => this.#heard(name, message),
      errorHandler: (error: unknown, about: { name: string }) => this.#crashed(about.name, error),
    })
    bree.on('worker created', (name: string) => this.#pipe(bree.workers.get(name)))
    bree.on('worker deleted', (name: string) => this.#gone(name))
    return bree
  }

  #pipe(thread: Thread | undefined): void {
    for (const stream of [thread?.stdout, thread?.stderr]) {
      stream?.on('data', (text: Buffer) => this.#say(text.toString().trimEnd()))
    }
  }

  #heard(name: string, message: unknown): void {
    const running = this.#running.get(name)
    if (running === undefined || typeof message !== 'object') return // bree's own words
    running.beat = Date.now()
    running.started ??= running.beat
    const told = message as ThreadMessage
    switch (told.type) {
      case 'beat':
        return
      case 'say':
        this.#say(`${name}: ${told.line}`)
        return
      case 'progress':
        running.progress = `${told.done} of ${told.total}`
        return
      case 'ended':
        running.result = { type: 'done', report: told.report }
        return
      case 'failed':
        running.result = told.lost
          ? { type: 'lost' }
          : { type: 'failed', error: told.error, position: told.position }
        return
      default:
        unreachable(told)
    }
  }

  #crashed(name: string, error: unknown): void {
    const running = this.#running.get(name)
    if (running !== undefined) running.crash ??= messageOf(error)
  }

  #gone(name: string): void {
    const running = this.#running.get(name)
    if (running !== undefined) this.#finish(name, endOf(running))
  }

  #finish(name: string, ended: Ended): void {
    const running = this.#running.get(name)
    this.#running.delete(name)
    if (this.#running.size === 0 && this.#watch) {
      clearInterval(this.#watch)
      this.#watch = null
    }
    running?.end(ended)
  }

  #look(): void {
    const now = Date.now()
    const { silentMs, graceMs, renewMs } = this.#patience
    for (const running of this.#running.values()) {
      if (now - running.beat > silentMs) this.#kill(running, 'silent')
      else if (running.told !== null && now - running.told > graceMs) this.#kill(running, 'stopped')
      else if (now - (running.started ?? now) > running.run.timeoutMs)
        this.#tell(running, 'timeout')
      if (now - running.renewed > renewMs) this.#renew(running, now)
    }
  }

  #renew(running: Running, now: number): void {
    running.renewed = now
    running.run.renew(running.progress).then(
      held => {
        if (!held) this.#tell(running, 'lost')
      },
      () => {}, // the database is away: the next renewal may be in time still
    )
  }

  #tell(running: Running, why: Why): void {
    if (running.told !== null) return
    running.told = Date.now()
    running.why = why
    void this.#bree?.then(bree => bree.workers.get(running.run.task.name)?.postMessage('cancel'))
  }

  #kill(running: Running, why: Why): void {
    running.why ??= why
    void this.#bree?.then(bree => bree.workers.get(running.run.task.name)?.terminate())
  }
}

const THREAD = fileURLToPath(new URL('./thread.js', import.meta.url))

function endOf({ why, result, crash, run }: Running): Ended {
  if (result?.type === 'done' || result?.type === 'lost') return result
  switch (why) {
    case 'stopped':
    case 'lost':
      return { type: why }
    case 'timeout':
      return failed(result, `it took longer than ${run.timeoutMs / 1000} s and was stopped`)
    case 'silent':
      return failed(result, 'it did not answer any more and was ended')
    case null:
      return result ?? failed(null, crash ?? 'its thread ended before it did')
    default:
      return unreachable(why)
  }
}

function failed(result: Ended | null, error: string): Ended {
  const position = result?.type === 'failed' ? result.position : null
  return { type: 'failed', error, position }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

function unreachable(value: never): never {
  throw new Error(`unknown ${JSON.stringify(value)}`)
}
