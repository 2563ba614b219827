import { hashDocument } from '../codec/json.ts'
import type { Change } from '../commands/change.ts'
import type { ImportedAppend, ImportedEvent } from '../commands/import.ts'
import { importPage } from '../commands/import-page.ts'
import { attachBlob } from '../content/decide-blob.ts'
import { decidePage } from '../content/decide-page.ts'
import { type Document, documentOf } from '../content/document.ts'
import { type Entity, own } from '../content/state.ts'
import { listErasedIds } from '../log/erase.ts'
import { piecesOf } from './erased-history.ts'
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
  readonly reason?: 'path taken' | 'published since' | 'erased since'
  /** Where the page is now, when it was moved since the backup. */
  readonly at?: string
  /** Names of files that were attached. */
  readonly files: readonly string[]
}

/** A page of the backup as it ends there, and its events as they are read. */
export interface BackupPage {
  readonly entity: Entity
  readonly events: readonly ImportedEvent[]
  readonly document: Document
}

/** Those that are not deleted in the backup, by path: a page comes before those below it. */
export function pagesOf(appends: readonly ImportedAppend[]): BackupPage[] {
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

/** The hashes of the files that what was tried will attach. */
export function blobsOf(pages: readonly BackupPage[], tried: readonly PageOutcome[]): Set<string> {
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

/**
 * Records what makes a page what it is in the backup.
 *
 * @param change of one page in which something was erased only its beginning is recorded, up to the first erasure (`piecesOf`)
 */
export async function putPage(change: Change, page: BackupPage): Promise<PageOutcome> {
  const { id: entityId, path } = page.entity
  const known = await change.entity(entityId)
  const isMoved = known !== null && known.state !== 'deleted' && known.path !== path
  const outcome = { path, entityId, files: [] as string[], ...(isMoved && { at: known.path }) }
  const lacking = known === null ? NOTHING_LACKS : lackingIn(known, page)
  const reason = await conflictOf(change, { page, known, lacking })
  if (reason !== null) return { ...outcome, did: 'conflict', reason }
  if (known === null) {
    await importBeginning(change, page)
    return { ...outcome, did: 'imported' }
  }
  if (lacking.isGone) change.record(decidePage(known, { type: 'UndeletePage', path }))
  if (lacking.isOther) await revise(change, page)
  await attachFiles(change, page, lacking.files)
  const did = lacking.isGone ? 'undeleted' : lacking.isOther ? 'revised' : null
  return {
    ...outcome,
    files: lacking.files,
    did: did ?? (lacking.files.length > 0 ? 'files' : 'same'),
  }
}

/** What a page that the site knows lacks of what the backup says. */
interface Lacking {
  readonly isGone: boolean
  readonly isOther: boolean
  /** Names of files that it has not, or others in their place. */
  readonly files: string[]
}

const NOTHING_LACKS: Lacking = { isGone: false, isOther: false, files: [] }

function lackingIn(known: Entity, { entity, document }: BackupPage): Lacking {
  const isDraftOnly = entity.live !== null && known.live === null
  const files = Object.entries(entity.blobs).filter(([name, { sha256, category }]) => {
    const there = own(known.blobs, name)
    return there?.sha256 !== sha256 || there.category !== category
  })
  return {
    isGone: known.state === 'deleted',
    isOther: isDraftOnly || hashDocument(shownBy(known)) !== hashDocument(document),
    files: files.map(([name]) => name),
  }
}

interface Meeting {
  readonly page: BackupPage
  readonly known: Entity | null
  readonly lacking: Lacking
}

/** What keeps a page of the backup from being what it was. */
async function conflictOf(
  change: Change,
  { page, known, lacking }: Meeting,
): Promise<NonNullable<PageOutcome['reason']> | null> {
  const { path, live } = page.entity
  if (known !== null && (await isErased(change, page, lacking))) return 'erased since'
  const isLacking = lacking.isOther || lacking.files.length > 0
  if (known?.state === 'live') return live === null && isLacking ? 'published since' : null
  if (known?.state === 'draft' && live === null) return null
  const isThere = known?.state === 'draft'
  const taken = await change.liveIdAt(isThere ? known.path : path)
  return taken === null ? null : 'path taken'
}

/** Whether what would be brought back is what was erased here. */
async function isErased(
  change: Change,
  { entity, events }: BackupPage,
  { isGone, isOther, files }: Lacking,
): Promise<boolean> {
  if (!isGone && !isOther && files.length === 0) return false
  const erased = new Set(await listErasedIds(change.site.db, entity.id))
  if (erased.size === 0) return false
  const idAt = (revision: number | undefined) => events[(revision ?? 0) - 1]?.eventId ?? ''
  const brought = files.map(name => idAt(own(entity.blobs, name)?.since))
  if (isGone || isOther) brought.push(entity.live?.revisionId ?? entity.tipId)
  return brought.some(id => erased.has(id))
}

async function importBeginning(change: Change, page: BackupPage): Promise<void> {
  const { id: entityId, path, created, live } = page.entity
  const { number, modified } = live ?? {}
  const [first] = piecesOf(ownHistory(page.events))
  await importPage(change, {
    ...{ from: path, path, entityId, document: page.document, history: first?.events ?? [] },
    imported: { created, ...(number !== undefined && { number }), ...(modified && { modified }) },
  })
}

async function revise(change: Change, { entity, document }: BackupPage): Promise<void> {
  const known = await change.entity(entity.id)
  if (known === null) throw new Error('the page was there just now')
  const draft = entity.live === null
  if (hashDocument(shownBy(known)) !== hashDocument(document)) {
    const base = known.live?.revision ?? known.tipRevision
    change.record(decidePage(known, { type: 'RevisePage', document, base, draft }))
    return
  }
  const { tipRevision: revision, tipId: revisionId } = known
  change.record(decidePage(known, { type: 'PublishPage', revision, revisionId, document }))
}

async function attachFiles(
  change: Change,
  { entity }: BackupPage,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    const now = await change.entity(entity.id)
    const blob = own(entity.blobs, name)
    if (now === null || blob === undefined) throw new Error('the page was there just now')
    const { sha256, sizeBytes, mediaType, category } = blob
    change.record(attachBlob(now, { name, sha256, sizeBytes, mediaType, category }))
  }
}
