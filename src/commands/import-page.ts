import type { Document } from '../content/document.ts'
import type { Imported } from '../content/events.ts'
import type { Entity } from '../content/state.ts'
import { findEvent } from '../log/read.ts'
import type { Change } from './change.ts'
import { authorOf, completed, type ImportedEvent } from './import.ts'
import { createPage, demandCreate, demandFree } from './pages.ts'

/** One page out of another site. */
export interface ImportedPage {
  /** Where it was, and where it shall be. */
  readonly from: string
  readonly path: string
  readonly entityId: string
  readonly document: Document
  readonly imported: Imported
  /** Its events, oldest first, all of this page; null to make it of the document alone. */
  readonly history: readonly ImportedEvent[] | null
}

/**
 * Puts a page of another site into this one, with its history when it has one. Its ids are kept where this site does not know them. The import's
 * id is that of the author's `meta`.
 *
 * @throws PATH_TAKEN, PERMISSION_DENIED
 */
export async function importPage(change: Change, page: ImportedPage): Promise<Entity> {
  const { path, document, imported } = page
  demandCreate(change, path)
  await demandFree(change, path)
  const isKnown = (await change.entity(page.entityId)) !== null
  const id = isKnown ? change.site.newId() : page.entityId
  if (page.history === null) return createPage(change, { path, document, id, imported })
  return importEvents(change, { ...page, entityId: id }, page.history)
}

/** A page where it was and where it is now. */
type Placed = Pick<ImportedPage, 'from' | 'path' | 'entityId'>

/**
 * Goes on with a page of which the first events were imported before.
 *
 * @param events of this page, oldest first; revisions that they name are those of its whole history
 */
export async function importEvents(
  change: Change,
  page: Placed,
  events: readonly ImportedEvent[],
): Promise<Entity> {
  const { entityId: stream } = page
  const before = (await change.entity(stream))?.revision ?? 0
  const documents = new Map<number, Document>()
  const importId = change.author.meta?.['importId'] as string | undefined
  for (const [index, event] of events.entries()) {
    if ('document' in event.data) documents.set(before + index + 1, event.data.document)
    const settled = await settledEvent(change, { ...event, stream }, page)
    change.record([await completed(change, settled, documents)], authorOf(settled, importId))
  }
  const entity = await change.entity(stream)
  if (entity === null) throw new Error('a history has at least one event')
  return entity
}

async function settledEvent(
  change: Change,
  event: ImportedEvent,
  page: Placed,
): Promise<ImportedEvent> {
  const isKnown = (await findEvent(change.site.db, event.eventId)) !== null
  const eventId = isKnown ? change.site.newId() : event.eventId
  const there = (path: string) => (path === page.from ? page.path : path)
  // its place in a save tells nothing here
  const { part: _, ...kept } = event.meta as Record<string, unknown>
  const meta = page.from === page.path ? kept : { ...kept, loadedFrom: page.from }
  const data = { ...event.data } as Record<string, unknown>
  for (const member of ['path', 'from', 'to']) {
    const path = data[member]
    if (typeof path === 'string') data[member] = there(path)
  }
  return { ...event, eventId, meta, data } as ImportedEvent
}
