import { hashDocument } from '../codec/json.ts'
import { type Author, Change, change, type Site } from '../commands/change.ts'
import type { ImportedAppend, ImportedEvent } from '../commands/import.ts'
import { importPage } from '../commands/import-page.ts'
import { attachBlob } from '../content/decide-blob.ts'
import { decidePage } from '../content/decide-page.ts'
import { type Document, documentOf } from '../content/document.ts'
import type { Entity } from '../content/state.ts'
import { own } from '../content/state.ts'
import { ownHistory } from './own-history.ts'
import { tell } from './snapshot.ts'

/** What is done, or would be, with a page of a backup. */
export interface PageOutcome {
  readonly path: string
  readonly entityId: string
  /**
   * `revised`: it has a new revision; `undeleted`: it was deleted and is there again; `imported`: the site did not know it, and has its history
   * now; `files`: only files were attached; `same`: nothing had to be done; `conflict`: nothing could be, see `reason`.
   */
  readonly did: 'revised' | 'undeleted' | 'imported' | 'files' | 'same' | 'conflict'
  /** Of a conflict. */
  readonly reason?: 'path taken' | 'published since'
  /** Where the page is now, when it was moved since the backup. */
  readonly at?: string
  /** Names of files that were attached. */
  readonly files: readonly string[]
}

export interface IntoLiveOptions {
  readonly dryRun: boolean
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (step: 'pages', done: number, total: number) => void
  /** Called before anything is written, with the hashes of the files that will be attached: they must be in the stores then. */
  readonly bringBlobs: (wanted: ReadonlySet<string>) => Promise<void>
}

/** A page of the backup as it ends there, and its events. */
interface BackupPage {
  readonly entity: Entity
  readonly events: readonly ImportedEvent[]
  readonly document: Document
}

/**
 * Brings pages of a backup into a site that is in use. A page that the site knows gets what the backup says as a new revision, where that
 * differs; one that was deleted comes back; one that the site does not know comes in with its history. Nothing is deleted or moved, and
 * roles, credentials, grants and settings stay as they are. Done twice, it changes nothing the second time.
 *
 * All of it is tried first, so that what cannot be done is known before anything is written; then each page is one change.
 */
export async function putIntoLive(
  site: Site,
  author: Author,
  appends: readonly ImportedAppend[],
  options: IntoLiveOptions,
): Promise<PageOutcome[]> {
  const pages = pagesOf(appends)
  const trial = new Change(site, author)
  const tried = await forEach(pages, options, page => putPage(trial, page))
  if (options.dryRun) return tried
  await options.bringBlobs(blobsOf(pages, tried))
  return forEach(pages, options, async page => {
    const { result } = await change(site, author, it => putPage(it, page))
    return result
  })
}

async function forEach(
  pages: readonly BackupPage[],
  { signal, onProgress }: IntoLiveOptions,
  work: (page: BackupPage) => Promise<PageOutcome>,
): Promise<PageOutcome[]> {
  const outcomes: PageOutcome[] = []
  for (const page of pages) {
    signal?.throwIfAborted()
    outcomes.push(await work(page))
    onProgress?.('pages', outcomes.length, pages.length)
  }
  return outcomes
}

/** Those that are not deleted in the backup, by path: a page comes before those below it. */
function pagesOf(appends: readonly ImportedAppend[]): BackupPage[] {
  const pages = [...tell(appends).values()].flatMap(({ state, events }) => {
    if (state?.kind !== 'entity' || state.state === 'deleted') return []
    return [{ entity: state, events, document: shownBy(state) }]
  })
  return pages.sort(({ entity: one }, { entity: other }) => (one.path < other.path ? -1 : 1))
}

/** What readers see, or of what was never live the newest draft. */
function shownBy({ live, tip }: Entity): Document {
  return documentOf(live?.document ?? tip)
}

function blobsOf(pages: readonly BackupPage[], tried: readonly PageOutcome[]): Set<string> {
  const wanted = new Set<string>()
  for (const [index, { did, files }] of tried.entries()) {
    const page = pages[index] as BackupPage
    if (did === 'imported') {
      for (const { type, data } of page.events) if (type === 'BlobAttached') wanted.add(data.sha256)
    }
    for (const name of files) wanted.add(own(page.entity.blobs, name)?.sha256 ?? '')
  }
  return wanted
}

async function putPage(change: Change, page: BackupPage): Promise<PageOutcome> {
  const { id: entityId, path } = page.entity
  const known = await change.entity(entityId)
  const isMoved = known !== null && known.state !== 'deleted' && known.path !== path
  const outcome = { path, entityId, files: [] as string[], ...(isMoved && { at: known.path }) }
  const reason = await conflictOf(change, page, known)
  if (reason !== null) return { ...outcome, did: 'conflict', reason }
  if (known === null) {
    await importWhole(change, page)
    return { ...outcome, did: 'imported' }
  }
  const isGone = known.state === 'deleted'
  if (isGone) change.record(decidePage(known, { type: 'UndeletePage', path }))
  const isRevised = await revise(change, page)
  const files = await attachFiles(change, page)
  if (isGone) return { ...outcome, files, did: 'undeleted' }
  if (isRevised) return { ...outcome, files, did: 'revised' }
  return { ...outcome, files, did: files.length > 0 ? 'files' : 'same' }
}

/** What keeps a page of the backup from being what it was. */
async function conflictOf(
  change: Change,
  { entity: { path, live } }: BackupPage,
  known: Entity | null,
): Promise<NonNullable<PageOutcome['reason']> | null> {
  if (known?.state === 'live') return live === null ? 'published since' : null
  if (known?.state === 'draft' && live === null) return null
  const isThere = known?.state === 'draft'
  const taken = await change.liveIdAt(isThere ? known.path : path)
  return taken === null ? null : 'path taken'
}

async function importWhole(change: Change, page: BackupPage): Promise<void> {
  const { id: entityId, path, created, live } = page.entity
  const { number, modified } = live ?? {}
  await importPage(change, {
    ...{ from: path, path, entityId, document: page.document, history: ownHistory(page.events) },
    imported: { created, ...(number !== undefined && { number }), ...(modified && { modified }) },
  })
}

/** @returns whether something had to be done */
async function revise(change: Change, { entity, document }: BackupPage): Promise<boolean> {
  const known = await change.entity(entity.id)
  if (known === null) throw new Error('the page was there just now')
  const draft = entity.live === null
  if (hashDocument(shownBy(known)) !== hashDocument(document)) {
    const base = known.live?.revision ?? known.tipRevision
    change.record(decidePage(known, { type: 'RevisePage', document, base, draft }))
    return true
  }
  if (draft || known.live !== null) return false
  const { tipRevision: revision, tipId: revisionId } = known
  change.record(decidePage(known, { type: 'PublishPage', revision, revisionId, document }))
  return true
}

/** Attaches the files that the page lacks or has otherwise. @returns their names */
async function attachFiles(change: Change, { entity }: BackupPage): Promise<string[]> {
  const attached: string[] = []
  for (const [name, blob] of Object.entries(entity.blobs)) {
    const now = await change.entity(entity.id)
    const there = now && own(now.blobs, name)
    if (now === null || (there?.sha256 === blob.sha256 && there.category === blob.category))
      continue
    const { sha256, sizeBytes, mediaType, category } = blob
    change.record(attachBlob(now, { name, sha256, sizeBytes, mediaType, category }))
    attached.push(name)
  }
  return attached
}
