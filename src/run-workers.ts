import { hostname } from 'node:os'
import type { Config } from './config.ts'
import { Rm3Error } from './errors.ts'
import { followSite } from './follow-site.ts'
import { discoverWorkers } from './jobs/discover.ts'
import type { SitePlace } from './jobs/messages.ts'
import { Runner } from './jobs/runner.ts'
import { Scheduler } from './jobs/scheduler.ts'
import { openDatabase } from './open-database.ts'
import type { OpenSite } from './open-site.ts'
import { serveSite } from './serve-site.ts'

/** How the workers of a process are run. */
export interface WorkersOptions {
  readonly config: Config
  /** The database, for the threads. */
  readonly url: string
  readonly say: (line: string) => void
}

/**
 * Begins to run the workers of a site in this process, beside others, and to follow the log with its projections.
 *
 * @returns what ends that, in 6 seconds or so at most; a batch of a projection that takes longer is left to another process
 */
export async function startWorkers(
  opened: OpenSite,
  { config, url, say }: WorkersOptions,
): Promise<{ stop(): Promise<void> }> {
  const { site, wakeups } = opened
  const workers = await discoverWorkers()
  const runner = new Runner(placeOf(config, url), say)
  const scheduler = new Scheduler({
    db: site.db,
    workers,
    runner,
    owner: ownerName(),
    say,
    wakeups,
  })
  await scheduler.start()
  const following = followSite(opened, { url, site: config.site, say })
  return {
    stop: async () => {
      await Promise.all([scheduler.stop(), within(STOP_MS, following.stop())])
    },
  }
}

const STOP_MS = 6_000

/** Waits for the end of `work`, but no longer than that: who hangs is cut off. */
export async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}

/** Where a site is, for threads. */
export function placeOf(config: Config, url: string): SitePlace {
  const { site, publicBlobsFolder, privateBlobsFolder } = config
  return { url, site, publicBlobsFolder, privateBlobsFolder }
}

/** This process, as `rm3admin worker list` names it. */
export function ownerName(): string {
  return `${hostname()} ${process.pid}`
}

/**
 * Runs the workers only, until it is told to stop.
 *
 * @throws CONFIG_INVALID when RM3_WF_DISABLE is set, DATABASE_NOT_FOUND, what `openSite` throws
 */
export async function runWorkers({
  config,
  signal,
  say,
  tell,
}: {
  readonly config: Config
  readonly signal: AbortSignal
  readonly say: (line: string) => void
  readonly tell: (line: string) => void
}): Promise<void> {
  if (config.workersDisabled) throw new Rm3Error('CONFIG_INVALID', 'RM3_WF_DISABLE forbids workers')
  for (const warning of config.warnings) say(warning)
  const database = await openDatabase(config, { lifetime: 'server', say })
  try {
    const { url } = database
    await serveSite({ url, config, signal, say }, async (opened, until, isFirst) => {
      opened.wakeups.listen()
      const workers = await startWorkers(opened, { config, url, say })
      if (isFirst) {
        tell('The workers run, and the projections follow the log. Ctrl-C stops them.')
      }
      await aborted(until)
      await workers.stop()
    })
  } finally {
    await database.stop()
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
