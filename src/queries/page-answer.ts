import type { Stub } from '../../projections/page-history.ts'
import type { Viewer } from '../access/viewer.ts'
import { isRedirect } from '../content/decide-page.ts'
import { documentOf } from '../content/document.ts'
import type { Entity } from '../content/state.ts'
import type { Mementos } from './mementos.ts'
import type { PageRecord } from './record.ts'

/** What is at a path. */
export type PageAnswer =
  | {
      readonly type: 'page'
      readonly page: PageRecord
      /** Without quotes. While the page is live, `If-Match` takes it. */
      readonly etag: string
      /** The position as of which this is true. */
      readonly position: number
      /** When the log took that position; null now. */
      readonly recordedAt: string | null
      readonly viewer: Viewer
      /** Where else the path showed something; only as of a position. */
      readonly mementos?: Mementos
    }
  /** The page that was here is at that path. */
  | { readonly type: 'moved'; readonly to: string; readonly viewer: Viewer }
  /** The page was deleted, and readers are sent elsewhere. */
  | { readonly type: 'redirected'; readonly url: string; readonly viewer: Viewer }
  | { readonly type: 'gone'; readonly viewer: Viewer }
  /** There is nothing, or nothing that the reader may see. */
  | { readonly type: 'absent'; readonly viewer: Viewer }

/** What a stub tells a viewer who may see its path. */
export function answerOfStub(viewer: Viewer, path: string, stub: Stub | null): PageAnswer {
  if (stub === null) return { type: 'absent', viewer }
  if (stub.state === 'deleted') {
    if (stub.path !== path && !viewer.may('view', stub.path)) return { type: 'absent', viewer }
    // what was loaded may name anything: nobody is sent to a script, or to more than one header
    return stub.redirect === null || !isRedirect(stub.redirect)
      ? { type: 'gone', viewer }
      : { type: 'redirected', url: stub.redirect, viewer }
  }
  if (stub.path === path || !viewer.may('view', stub.path)) return { type: 'absent', viewer }
  return { type: 'moved', to: stub.path, viewer }
}

/** The newest content of an entity that was never live. @param event the one that made it */
export function recordOfDraft(
  entity: Entity,
  event: { eventId: string; position: number },
): PageRecord {
  const { proto, hidden, summary, data, tags } = documentOf(entity.tip)
  return {
    entityId: entity.id,
    path: entity.path,
    position: event.position,
    revision: entity.tipRevision,
    revisionId: event.eventId,
    number: entity.tipRevision,
    proto,
    hidden,
    created: entity.created,
    modified: entity.tipAt,
    touched: entity.tipAt,
    author: entity.tipAuthor,
    summary: JSON.stringify(summary),
    data: JSON.stringify(data),
    tags: JSON.stringify(tags),
    draft: true,
  }
}
