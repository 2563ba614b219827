import { type Author, Change, type Site } from '../commands/change.ts'
import { eraseInside } from '../commands/erase.ts'
import type { ImportedAppend } from '../commands/import.ts'
import { importEvents } from '../commands/import-page.ts'
import { inTransaction } from '../commands/in-transaction.ts'
import { isRm3Error, Rm3Error } from '../errors.ts'
import { type Bulk, openBulk, type SiteDatabase } from '../pg/bulk.ts'
import type { Projection } from '../projector/define.ts'
import { piecesOf } from './erased-history.ts'
import { ownHistory } from './own-history.ts'
import { type BackupPage, blobsOf, type PageOutcome, pagesOf, putPage } from './put-page.ts'

/** A site in use. */
export interface LiveSite {
  readonly site: Site
  /** With a user who owns the schema. */
  readonly database: SiteDatabase
  /** All of the site. */
  readonly projections: readonly Projection[]
}

export interface IntoLiveOptions {
  readonly dryRun: boolean
  /** Whether the other pages are brought in when some cannot be. */
  readonly skipConflicts: boolean
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (step: 'comparing' | 'writing', done: number, total: number) => void
  /** How long others may have to wait before they are let in between two pages; 2 s when not given. */
  readonly heldMsMax?: number
  /** Called before anything is written, with the hashes of the files that will be attached: they must be in the stores then. */
  readonly bringBlobs: (wanted: ReadonlySet<string>) => Promise<void>
}

/** What was done, or would be. */
export interface PutIntoLive {
  /** Position of the last event that was written; null when none was. */
  readonly position: number | null
  readonly pages: readonly PageOutcome[]
}

/**
 * Brings pages of a backup into a site that is in use. A page that the site knows gets what the backup says as a new revision, where that
 * differs; one that was deleted comes back; one that the site does not know comes in with its history, in which what was erased is erased.
 * Nothing is deleted or moved, and roles, credentials, grants and settings stay as they are. Done twice, it changes nothing the second time.
 *
 * All of it is tried first, so that what cannot be done is known before anything is written; where that is something, nothing is, unless
 * `skipConflicts`. It is written in one transaction: all pages or none. Others can read meanwhile, writers wait; so that they do not wait for long, or
 * are refused, what takes longer than `heldMsMax` is written in several transactions, each page whole. Where the work ends between two of them the error
 * says how far it came, and the same again does the rest; a page that comes into the way then is a conflict of its own, and passed over.
 *
 * @param appends of the backup, as they are read
 */
export async function putIntoLive(
  live: LiveSite,
  author: Author,
  appends: readonly ImportedAppend[],
  options: IntoLiveOptions,
): Promise<PutIntoLive> {
  const pages = pagesOf(appends)
  const tried = await compareAll(new Change(live.site, author), pages, options)
  const wanted = pages.filter((_, index) => isToDo(tried[index]))
  if (options.dryRun || wanted.length === 0 || !isWelcome(tried, options)) {
    return { position: null, pages: tried }
  }
  await options.bringBlobs(blobsOf(pages, tried))
  const done = await writeAll(live, author, wanted, options)
  const outcomes = new Map(done.pages.map(outcome => [outcome.entityId, outcome]))
  return { ...done, pages: tried.map(outcome => outcomes.get(outcome.entityId) ?? outcome) }
}

function isToDo(outcome: PageOutcome | undefined): boolean {
  return outcome !== undefined && outcome.did !== 'same' && outcome.did !== 'conflict'
}

function isWelcome(outcomes: readonly PageOutcome[], { skipConflicts }: IntoLiveOptions): boolean {
  return skipConflicts || outcomes.every(({ did }) => did !== 'conflict')
}

async function compareAll(
  trial: Change,
  pages: readonly BackupPage[],
  { signal, onProgress }: IntoLiveOptions,
): Promise<PageOutcome[]> {
  const outcomes: PageOutcome[] = []
  for (const page of pages) {
    signal?.throwIfAborted()
    outcomes.push(await putPage(trial, page))
    onProgress?.('comparing', outcomes.length, pages.length)
  }
  return outcomes
}

/** Somebody was faster, so that a page is in the way now: takes the transaction back. */
class Conflicting extends Error {
  readonly pages: readonly PageOutcome[]

  constructor(pages: readonly PageOutcome[]) {
    super('conflicting')
    this.pages = pages
  }
}

/** Appends wait 10 s for their turn before they are refused. */
const HELD_MS_MAX = 2_000
/** Until it ends nobody else appends. */
const LOCK = 'select from log_head for update'

/** Written so far. */
interface Progress {
  position: number | null
  readonly pages: PageOutcome[]
}

async function writeAll(
  live: LiveSite,
  author: Author,
  pages: readonly BackupPage[],
  options: IntoLiveOptions,
): Promise<PutIntoLive> {
  const bulk = await openBulk(live.database)
  const done: Progress = { position: null, pages: [] }
  try {
    while (done.pages.length < pages.length) {
      const { position, pages: some } = await inTransaction(
        { ...live.site, db: bulk.db },
        async site => {
          await site.db.rows(LOCK)
          const writer = new Writer({ ...live, site }, { ...bulk, db: site.db }, author)
          return writeSome(writer, { pages, done }, options)
        },
      )
      done.pages.push(...some)
      done.position = position ?? done.position
    }
    return done
  } catch (thrown) {
    if (thrown instanceof Conflicting) return { position: null, pages: thrown.pages }
    throw done.position === null ? thrown : partly(thrown, done.pages.length, pages.length)
  } finally {
    await bulk.close()
  }
}

/** Writes the pages that come next, until others have waited long enough. */
async function writeSome(
  writer: Writer,
  { pages, done }: { pages: readonly BackupPage[]; done: Progress },
  options: IntoLiveOptions,
): Promise<PutIntoLive> {
  const { signal, onProgress, heldMsMax = HELD_MS_MAX } = options
  const some: PageOutcome[] = []
  const until = Date.now() + heldMsMax
  for (const page of pages.slice(done.pages.length)) {
    signal?.throwIfAborted()
    some.push(await writer.put(page))
    onProgress?.('writing', done.pages.length + some.length, pages.length)
    if (Date.now() >= until) break
  }
  // what comes into the way of a later part is passed over: the parts before it are written
  if (done.position === null && !isWelcome(some, options)) throw new Conflicting(some)
  return { position: writer.position, pages: some }
}

/** What the caller has to know of a work that ended between two parts. */
function partly(thrown: unknown, written: number, wanted: number): unknown {
  if (!(thrown instanceof Error)) return thrown
  const code = isRm3Error(thrown) ? thrown.code : 'UNAVAILABLE'
  return new Rm3Error(
    code,
    `${written} of ${wanted} pages were brought in, each of them whole; run it again for the others (${thrown.message})`,
    { written, wanted, cause: thrown },
  )
}

/** Writes pages inside a transaction. */
class Writer {
  /** Of the last event; null before the first. */
  position: number | null = null
  readonly #live: LiveSite
  readonly #bulk: Bulk
  readonly #author: Author

  constructor(live: LiveSite, bulk: Bulk, author: Author) {
    this.#live = live
    this.#bulk = bulk
    this.#author = author
  }

  async put(page: BackupPage): Promise<PageOutcome> {
    const change = new Change(this.#live.site, this.#author)
    const outcome = await putPage(change, page)
    await this.#commit(change)
    if (outcome.did === 'imported') await this.#importRest(page)
    return outcome
  }

  /** What follows the first erasure of an imported history. */
  async #importRest({ entity: { id: entityId, path }, events }: BackupPage): Promise<void> {
    for (const [index, piece] of piecesOf(ownHistory(events)).entries()) {
      if (index > 0) {
        const change = new Change(this.#live.site, this.#author)
        await importEvents(change, { from: path, path, entityId }, piece.events)
        await this.#commit(change)
      }
      if (piece.erasure === null) continue
      const request = { ...piece.erasure, entityId, door: 'import', keepsShown: false }
      const done = await eraseInside(this.#bulk, this.#live, request)
      if (done === null || done === 'again') throw nothingErased(path)
      this.position = done.position
      this.#live.site.states.forget(entityId)
    }
  }

  async #commit(change: Change): Promise<void> {
    this.position = (await change.commit()).position ?? this.position
  }
}

function nothingErased(path: string): Rm3Error {
  return new Rm3Error('BACKUP_DAMAGED', `an erasure in the history of ${path} erases nothing`, {
    path,
  })
}
