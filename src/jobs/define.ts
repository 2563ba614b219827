import type { BlobStores } from '../blobs/store.ts'
import type { Json } from '../codec/json.ts'
import type { Carried } from '../content/decide-schedule.ts'
import type { Document } from '../content/document.ts'
import type { EventType, SiteEvent } from '../content/events.ts'
import type { Db } from '../pg/db.ts'

/**
 * When a worker runs: `every` so often (`30s`, `15m`, `6h`, `7d`); by `cron` with five fields, in UTC; `at` a date (RFC 3339), once, or at
 * whatever instant the site's own tables say next (null: none). Runs that were missed while nothing ran are made up for by one.
 */
export type Schedule =
  | { readonly every: string }
  | { readonly cron: string }
  | { readonly at: string | ((db: Db) => Promise<string | null>) }

/** Events that a worker is given, each at least once and in the order of the log. */
export interface Subscription {
  readonly on: readonly EventType[]
  /** Most events in one run of `run`; 100 when not given. */
  readonly batchMax?: number
  /** Where a new subscription begins: at the `end` of the log, which is what is not said, or at its `start`. */
  readonly from?: 'start' | 'end'
}

/** What a run gets. It may be killed at any time, and is then run again: what it does must bear repeating. */
export interface RunContext {
  /** The site's tables, with the rights of the server: the log can be read and not written. */
  readonly db: Db
  readonly commands: WorkerCommands
  readonly blobs: BlobStores
  /** Aborted when the run is to end: its time is over, or the process stops. It has 5 seconds then. */
  readonly signal: AbortSignal
  /** Change nothing, only report what would be done. Only ever true for a worker that declares `dryRun`. */
  readonly dryRun: boolean
  /** Now: RFC 3339, UTC, milliseconds. */
  readonly now: () => string
  /** A line for the operator's log. */
  readonly say: (line: string) => void
  /** How far the run is; shown in `rm3admin worker list`. */
  readonly progress: (done: number, total: number) => void
}

/** How a change of a worker is recorded. */
export interface Deed {
  /** The same key of the same worker is done once, however often the run is repeated. */
  readonly key: string
  /** The comment that histories show. */
  readonly note?: string
}

/** Changes of the site in the name of rm3 itself, through the same commands as every other door. */
export interface WorkerCommands {
  /** @returns whether it was done now, and not before @throws what `createPage` does */
  createPage(
    page: { readonly path: string; readonly document: Document; readonly draft?: boolean },
    deed: Deed,
  ): Promise<boolean>
  /** Changes a live page, starting from what is live. @throws what `revisePage` does */
  revisePage(path: string, edit: (document: Document) => Document, deed: Deed): Promise<boolean>
  /** Carries out a scheduled publication that is due, in the name of whoever scheduled it. */
  publishScheduled(entityId: string, schedule: string): Promise<Carried>
  /**
   * Runs one of rm3's programs for this site, in a process of its own that ends with the run.
   *
   * @returns what it prints as JSON @throws Error with what it says when it ends with anything but 0
   */
  program(name: 'rm3backup', args: readonly string[]): Promise<Json>
  /** Compares the next part of all projections with the log; nothing is changed. */
  scrub(signal: AbortSignal): Promise<Scrubbed>
}

/** What a part of a scrub came to. */
export interface Scrubbed {
  readonly events: number
  readonly differences: number
  /** Whether everything was looked at once more with it. */
  readonly roundDone: boolean
  readonly roundStarted: string
}

interface Common {
  /** The file's name without its suffix: a verb and a noun. */
  readonly name: string
  /** How long a run may take; 10 minutes when not given. */
  readonly timeoutMs?: number
  /** After so many failures in a row it is not tried again by itself; 5 when not given. */
  readonly triesMax?: number
  /** Whether it can run without changing anything. */
  readonly dryRun?: true
}

/** A worker that runs by time. */
export interface ScheduledWorker extends Common {
  readonly schedule: Schedule
  /** @returns what the run did, to be shown; nothing when there is nothing to say @throws to be run again after a while */
  readonly run: (context: RunContext) => Promise<Json | undefined>
}

/** A worker that is given events. */
export interface SubscribedWorker extends Common {
  readonly subscription: Subscription
  /** Takes one batch, at least one event. When it fulfils, they are not given again; when it rejects, they are, after a while. */
  readonly run: (context: RunContext & { readonly events: readonly SiteEvent[] }) => Promise<void>
}

/** Work that goes on beside requests, one per file in `workers/` or in a plugin's folder. */
export type Worker = ScheduledWorker | SubscribedWorker

/** Says that an object is a worker; the default export of its file. */
export function defineWorker(worker: ScheduledWorker): ScheduledWorker
export function defineWorker(worker: SubscribedWorker): SubscribedWorker
export function defineWorker(worker: Worker): Worker {
  return worker
}

/** Whether it is given events. */
export function isSubscribed(worker: Worker): worker is SubscribedWorker {
  return 'subscription' in worker
}

export const TIMEOUT_MS = 600_000
export const TRIES_MAX = 5
export const BATCH_MAX = 100
