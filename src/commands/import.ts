import { storeSecret } from '../access/credentials.ts'
import { SYSTEM_VIEWER } from '../access/viewer.ts'
import { contentOf, patchTo } from '../content/decide-page.ts'
import type { Document } from '../content/document.ts'
import {
  GRANTS_STREAM,
  type NewEvent,
  type PagePublished,
  SETTINGS_STREAM,
  type SiteEvent,
} from '../content/events.ts'
import type { Entity } from '../content/state.ts'
import { Rm3Error } from '../errors.ts'
import { findEvent, type LogHead, readHead } from '../log/read.ts'
import type { Db } from '../pg/db.ts'
import { rehearsable } from '../pg/rehearse.ts'
import { type Author, Change, type Site } from './change.ts'
import { Expectation, type ImportProof, proveImport } from './import-proof.ts'
import { inTransaction } from './in-transaction.ts'
import { getVersion } from './versions.ts'

/** An event of another log. A `PageRevised` may carry its whole document and a `PagePublished` no patch: both are completed. */
export type ImportedEvent = NewEvent & {
  readonly eventId: string
  readonly actor: string
  /** When it happened: RFC 3339, UTC, milliseconds. */
  readonly at: string
  readonly note: string | null
  /** What came with it that the event itself has no place for; the door is in it too. */
  readonly meta: object
}

/** Events that stood or fell together, and the instant at which the log shall seem to have taken them. */
export interface ImportedAppend {
  readonly recordedAt: string
  readonly events: readonly ImportedEvent[]
}

export interface ImportedSecret {
  readonly credential: string
  readonly userId: string
  readonly secret: string
}

/** All that makes a site: its log from the beginning, in order, and what is kept beside it. */
export interface SiteImport {
  readonly appends: readonly ImportedAppend[]
  readonly secrets: readonly ImportedSecret[]
}

/** The same, where the appends are made one after the other: each is asked for once, and none is kept. */
export interface StreamedImport {
  readonly appends: AsyncIterable<ImportedAppend>
  readonly secrets: readonly ImportedSecret[]
}

export interface ImportOptions {
  readonly signal?: AbortSignal
  /** Told the events appended, then those proved so far. */
  readonly onProgress?: (step: 'writing' | 'proving', done: number, total: number) => void
  /** Do everything, prove it, and take it back. */
  readonly dryRun?: boolean
}

export interface ImportedSite {
  readonly head: LogHead
  readonly proof: ImportProof
  /** Names the import: it stands in `meta.importId` of each of its events. null when it wrote none, or all was taken back. */
  readonly importId: string | null
}

/** Events written at once. */
const BATCH_MAX = 200
const BATCH_BYTES_MAX = 4_000_000

/**
 * Loads a site into an empty one, in one transaction: all of it, proved, or nothing, whatever happens on the way.
 *
 * @throws SITE_NOT_EMPTY, LOG_DAMAGED when what was written is not what was meant, the reason of `signal`
 */
export async function importSite(
  site: Site,
  plan: SiteImport,
  options: ImportOptions = {},
): Promise<ImportedSite> {
  await demandEmpty(site.db, plan)
  return importStream(site, plan, options)
}

/** As `importSite`, into a site that is known to be empty. @throws LOG_DAMAGED, the reason of `signal`, what `appends` throws */
export async function importStream(
  site: Site,
  plan: SiteImport | StreamedImport,
  options: ImportOptions = {},
): Promise<ImportedSite> {
  return rehearsable(
    run => inTransaction(site, run),
    options.dryRun,
    (inside: Site) => importInto(inside, plan, options),
  )
}

/** @throws SITE_NOT_EMPTY; it says when the site holds what is to be loaded */
export async function demandEmpty(db: Db, plan: SiteImport): Promise<void> {
  const { position } = await readHead(db)
  if (position === 0) return
  const first = plan.appends[0]?.events[0]
  const same = first !== undefined && (await findEvent(db, first.eventId)) !== null
  throw new Rm3Error(
    'SITE_NOT_EMPTY',
    same
      ? `the site holds this already: its log has ${position} events and what was to be loaded is among them`
      : `the site has content already (${position} events in its log); load into an empty one: set RM3_SITE to a new name, or RM3_PG to a new database`,
    { position, loaded: same },
  )
}

async function importInto(
  site: Site,
  plan: SiteImport | StreamedImport,
  options: ImportOptions,
): Promise<ImportedSite> {
  for (const secret of plan.secrets) await storeSecret(site.db, secret)
  const importId = site.newId()
  const expectation = await importAppends({ site, importId }, plan.appends, options)
  const proof = await proveImport(site.db, expectation, options)
  return { head: await readHead(site.db), proof, importId: options.dryRun ? null : importId }
}

async function importAppends(
  into: { site: Site; importId: string },
  appends: SiteImport['appends'] | StreamedImport['appends'],
  { signal, onProgress = () => {} }: ImportOptions,
): Promise<Expectation> {
  const total = Array.isArray(appends) ? countEvents(appends) : 0
  const expectation = new Expectation()
  const batch = new Batch(into, expectation)
  for await (const { recordedAt, events } of appends) {
    signal?.throwIfAborted()
    for (const event of events) await batch.add(event, recordedAt)
    onProgress('writing', expectation.events, total)
  }
  await batch.write()
  return expectation
}

function countEvents(appends: readonly ImportedAppend[]): number {
  return appends.reduce((sum, { events }) => sum + events.length, 0)
}

/** Events that end at a path what another page may begin there: the rows of the two must not be written together. */
export const LEAVING: ReadonlySet<string> = new Set(['PageMoved', 'PageDeleted', 'PageUndeleted'])

/** Events on their way into one append of many. */
class Batch {
  readonly #site: Site
  readonly #importId: string
  readonly #expectation: Expectation
  readonly #author: Author = { viewer: SYSTEM_VIEWER, door: 'import' }
  #change: Change
  #bytes = 0
  #written = 0

  constructor({ site, importId }: { site: Site; importId: string }, expectation: Expectation) {
    this.#site = site
    this.#importId = importId
    this.#expectation = expectation
    this.#change = new Change(site, this.#author)
  }

  async add(event: ImportedEvent, recordedAt: string): Promise<void> {
    const apart = LEAVING.has(event.type) || event.type === 'PagePublished'
    if (apart || this.#isFull()) await this.write()
    const change = this.#change
    change.record([await completed(change, event)], authorOf(event, this.#importId, recordedAt))
    this.#expectation.add(event, change.events.at(-1) as SiteEvent, recordedAt)
    this.#bytes += JSON.stringify(event.data).length
    if (apart) await this.write()
  }

  async write(): Promise<void> {
    const count = this.#change.events.length
    const { position } = await this.#change.commit()
    if (position !== null && position !== this.#written + count) {
      throw new Rm3Error('SITE_NOT_EMPTY', 'somebody else has begun to write to the site', {
        position,
      })
    }
    this.#written += count
    this.#bytes = 0
    this.#change = new Change(this.#site, this.#author)
  }

  #isFull(): boolean {
    return this.#change.events.length >= BATCH_MAX || this.#bytes > BATCH_BYTES_MAX
  }
}

/** Whose an imported event is, and how it is recorded. @param importId of the import; undefined: it has none */
export function authorOf(
  event: ImportedEvent,
  importId: string | undefined,
  recordedAt?: string,
): Author {
  return {
    viewer: SYSTEM_VIEWER,
    door: 'import',
    note: event.note,
    meta: { ...event.meta, ...(importId !== undefined && { importId }) },
    at: event.at,
    actor: event.actor,
    eventId: () => event.eventId,
    ...(recordedAt !== undefined && { recordedAt }),
  }
}

/**
 * The event as this log keeps it: a whole document becomes a patch where that is shorter, and a publication of an older revision gets the
 * patch that leads there, unless it has one.
 *
 * @param documents of revisions that are recorded, but not in the log yet
 */
export async function completed(
  change: Change,
  event: ImportedEvent,
  documents: ReadonlyMap<number, Document> = new Map(),
): Promise<NewEvent> {
  const { stream } = event
  if (stream === GRANTS_STREAM) await change.grants()
  else if (stream === SETTINGS_STREAM) await change.settings()
  else return completedOf(change, await change.entity(stream), event, documents)
  return bare(event)
}

async function completedOf(
  change: Change,
  entity: Entity | null,
  event: ImportedEvent,
  documents: ReadonlyMap<number, Document>,
): Promise<NewEvent> {
  if (entity === null) return bare(event)
  if (event.type === 'PageRevised' && 'document' in event.data) {
    const { document, ...rest } = event.data
    const data = { ...rest, ...contentOf(entity.tip, document) }
    return { type: event.type, stream: event.stream, data }
  }
  if (event.type === 'PagePublished' && isOfOlder(event.data, entity)) {
    const { revision } = event.data
    const document =
      documents.get(revision) ?? (await getVersion(change, entity, revision)).document
    const data = { ...event.data, patch: patchTo(entity.tip, document) }
    return { type: event.type, stream: event.stream, data }
  }
  return bare(event)
}

function isOfOlder(data: PagePublished, { tipRevision }: Entity): boolean {
  const hasContent = 'document' in data || 'erased' in data || data.patch !== undefined
  return data.revision !== tipRevision && !hasContent
}

function bare({ type, stream, data }: ImportedEvent): NewEvent {
  return { type, stream, data } as NewEvent
}
