import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from './config.ts'
import { isRm3Error } from './errors.ts'
import { readHead } from './log/read.ts'
import { type OpenSite, openSite } from './open-site.ts'
import { isGone } from './pg/sqlstate.ts'
import { isUnbuilt } from './projector/unbuilt.ts'

/** What serves a site until it is told to stop. */
export interface SiteServing {
  readonly url: string
  readonly config: Config
  /** Ends it when aborted. */
  readonly signal: AbortSignal
  /** A line about what goes on. */
  readonly say: (line: string) => void
}

/** How often it is looked whether the log is another one, and a database that is away is tried. */
const LOOK_MS = 1_000

/**
 * Opens a site and has it served until it is told to stop. When its log becomes another one, since a backup was loaded into it or it was made
 * anew, all is closed, opened and served anew: what a process remembers of a log holds for no other.
 *
 * @param serve fulfils once its signal is aborted and all that it began has ended; it is told whether it is the first time
 * @throws what `openSite` throws the first time, what `serve` throws
 */
export async function serveSite(
  serving: SiteServing,
  serve: (opened: OpenSite, signal: AbortSignal, isFirst: boolean) => Promise<void>,
): Promise<void> {
  const { signal, say } = serving
  for (let isFirst = true; ; isFirst = false) {
    const opened = isFirst ? await open(serving) : await openAgain(serving)
    if (opened === null) return
    const other = new AbortController()
    const watching = watchEpoch(opened, AbortSignal.any([signal, other.signal]), () =>
      other.abort(),
    )
    try {
      await serve(opened, AbortSignal.any([signal, other.signal]), isFirst)
    } finally {
      other.abort()
      await watching
      await opened.close()
    }
    if (signal.aborted) return
    say('the log is another one now, loaded or made anew: rm3 begins afresh')
  }
}

function open({ url, config, say }: SiteServing): Promise<OpenSite> {
  return openSite({
    url,
    site: config.site,
    allowUnsafe: config.unsafeDatabaseAllowed,
    onError: error => say(`the database: ${error.message}`),
  })
}

/** As `open`, as soon as the database can be reached; null when it is told to stop before. */
async function openAgain(serving: SiteServing): Promise<OpenSite | null> {
  const { signal, say } = serving
  while (!signal.aborted) {
    try {
      return await open(serving)
    } catch (thrown) {
      if (!isAway(thrown)) throw thrown
      say(`the database: ${(thrown as Error).message}`)
      await pause(signal)
    }
  }
  return null
}

function isAway(thrown: unknown): boolean {
  return isRm3Error(thrown, 'UNAVAILABLE') || isRm3Error(thrown, 'DATABASE_NOT_FOUND')
}

/**
 * Looks until the signal is aborted whether the log is the one that it was at first.
 *
 * @param changed called once, when it is another one and what is made of it is built
 */
async function watchEpoch(
  { site: { db }, projections }: OpenSite,
  signal: AbortSignal,
  changed: () => void,
): Promise<void> {
  let first: string | null = null
  const epochNow = async () => {
    const { epoch } = await readHead(db)
    return epoch === first || !(await isUnbuilt(db, projections)) ? epoch : null
  }
  while (!signal.aborted) {
    const now = await epochNow().catch(thrown => (isGone(thrown) ? '' : null))
    first ??= now
    if (now !== null && now !== first) {
      changed()
      return
    }
    await pause(signal)
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => {}) // it is looked at next
}
