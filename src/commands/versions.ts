import type { Viewer } from '../access/viewer.ts'
import { type Document, documentOf } from '../content/document.ts'
import type { Entity } from '../content/state.ts'
import { Rm3Error } from '../errors.ts'
import { findEvent } from '../log/read.ts'
import type { Change } from './change.ts'
import { readState } from './states.ts'

/** What a page said at one of its content revisions. */
export interface Version {
  readonly revision: number
  /** The id of that revision's event. */
  readonly revisionId: string
  readonly document: Document
}

type Found = Version & { readonly isErased: boolean }

/**
 * A content revision of a page, by number. What readers see now is seen by whoever sees the page; a draft needs the right
 * `viewdraft`, anything older `history`, each also on the path that the page had then.
 *
 * @throws REVISION_NOT_FOUND when there is none such, or the viewer may not see it; ERASED
 */
export async function getVersion(
  change: Change,
  entity: Entity,
  revision: number,
): Promise<Version> {
  const version = await versionAt(change, entity, revision)
  if (version !== null && !version.isErased) return version
  if (version !== null) {
    throw new Rm3Error('ERASED', `what revision ${revision} of ${entity.path} said was erased`, {
      path: entity.path,
      revision,
    })
  }
  throw new Rm3Error(
    'REVISION_NOT_FOUND',
    `${entity.path} has no content revision ${revision} that may be seen`,
    { path: entity.path, revision },
  )
}

const CONTENT = new Set(['PageCreated', 'PageRevised', 'PagePublished'])
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** What a page said after the content event with that id; null when there is none such, it was erased, or the viewer may not see it. */
export async function findVersion(
  change: Change,
  entity: Entity,
  eventId: string,
): Promise<Version | null> {
  const version = await versionOf(change, entity, eventId)
  return version === null || version.isErased ? null : version
}

async function versionOf(change: Change, entity: Entity, eventId: string): Promise<Found | null> {
  if (eventId === entity.tipId) return versionAt(change, entity, entity.tipRevision)
  const event = UUID.test(eventId) ? await findEvent(change.site.db, eventId) : null
  if (event === null || event.stream !== entity.id || !CONTENT.has(event.type)) return null
  const then = await readState(change.site.db, entity.id, event.revision)
  return then?.kind === 'entity' ? versionAt(change, entity, then.tipRevision) : null
}

/**
 * What a page said to who has an ETag of it, which may be that of a move too; null when it is none of this page, or the viewer may not
 * see what it stands for.
 */
export async function findSeen(
  change: Change,
  entity: Entity,
  etag: string,
): Promise<Version | null> {
  const version = await findVersion(change, entity, etag)
  if (version !== null) return version
  const event = UUID.test(etag) ? await findEvent(change.site.db, etag) : null
  if (event === null || event.stream !== entity.id) return null
  const then = await readState(change.site.db, entity.id, event.revision)
  if (then?.kind !== 'entity' || then.live === null || then.sinceId !== etag) return null
  const found = await versionAt(change, entity, then.live.revision)
  return found === null || found.isErased ? null : found
}

async function versionAt(change: Change, entity: Entity, revision: number): Promise<Found | null> {
  const { live, tipRevision, path } = entity
  if (revision === live?.revision) {
    const { revisionId, document, erased } = live
    return { revision, revisionId, document: documentOf(document), isErased: erased !== undefined }
  }
  const { viewer, site } = change
  if (revision === tipRevision) {
    return viewer.may('viewdraft', path) ? newest(entity) : null
  }
  if (revision >= entity.revision) return null
  const then = await readState(site.db, entity.id, revision)
  if (then?.kind !== 'entity' || then.tipRevision !== revision) return null
  const right = then.live?.revision === revision ? 'history' : 'viewdraft'
  if (!maySee(viewer, right, path) || !maySee(viewer, right, then.path)) return null
  return newest(then)
}

function newest({ tip, tipRevision, tipId, tipErased }: Entity): Found {
  const isErased = tipErased !== undefined
  return { revision: tipRevision, revisionId: tipId, document: documentOf(tip), isErased }
}

function maySee(viewer: Viewer, right: string, path: string): boolean {
  return viewer.may('view', path) && viewer.may(right, path)
}
