import { findDeletedId, findStub } from '../../projections/page-history.ts'
import { findDeletedDraftId, listDraftsBelow, listUnder } from '../../projections/pages.ts'
import { absent, demand, denied } from '../access/viewer.ts'
import { decidePage } from '../content/decide-page.ts'
import { type Document, documentOf } from '../content/document.ts'
import type { Imported } from '../content/events.ts'
import { etagsIn, type IfMatch } from '../content/if-match.ts'
import { isUnder, movedPath, parentPath, parsePath, SITE_PATH } from '../content/path.ts'
import type { Entity } from '../content/state.ts'
import { withFields } from '../content/with-fields.ts'
import { Rm3Error } from '../errors.ts'
import type { Change } from './change.ts'
import { staleEdit } from './stale-edit.ts'
import { findVersion, getVersion, type Version } from './versions.ts'

/** Most pages that move with one. */
export const SUBTREE_MAX = 10_000

/** The right to make pages is one on the place they are made in. @throws PATH_INVALID outside of the site, LOGIN_REQUIRED, PERMISSION_DENIED */
export function demandCreate(change: Change, path: string): void {
  if (!isUnder(path, SITE_PATH)) {
    const message = `${path} is outside of the site, whose pages are below ${SITE_PATH}: such as ${SITE_PATH}.${path}`
    throw new Rm3Error('PATH_INVALID', message, { path })
  }
  const place = parentPath(path) ?? path
  if (change.viewer.may('post.edit', place)) return
  throw denied(change.viewer, 'post.edit', place)
}

export interface NewPage {
  readonly path: string
  readonly document: Document
  readonly draft?: boolean
  /** The entity's id, where an import or a retry gives it. */
  readonly id?: string
  /** Number and times of the original, where it comes from elsewhere. */
  readonly imported?: Imported
}

/** Makes a page. @throws PATH_INVALID, PATH_TAKEN, LOGIN_REQUIRED, PERMISSION_DENIED */
export async function createPage(change: Change, page: NewPage): Promise<Entity> {
  const path = parsePath(page.path)
  demandCreate(change, path)
  await demandFree(change, path)
  const id = page.id ?? change.site.newId()
  const entity = await change.entity(id)
  const { document, draft = false, imported } = page
  change.record(decidePage(entity, { type: 'CreatePage', id, path, document, draft, ...imported }))
  return known(await change.entity(id))
}

export interface Revision {
  /** What the author started from: the page as it was seen, or one of its revisions; of several the first that will do. */
  readonly ifMatch: IfMatch
  /** The new document, made from the one it replaces, which it leaves as it is. @throws what a patch may */
  readonly edit: (document: Document) => Document
  readonly draft?: boolean
  readonly minor?: boolean
}

/**
 * Changes a page. A live change must start from what is live now; a draft may start from any revision.
 *
 * @throws IF_MATCH_STALE (see `staleEdit`), what `edit` throws, PAGE_NOT_FOUND, PAGE_GONE, PERMISSION_DENIED
 */
export async function revisePage(
  change: Change,
  path: string,
  revision: Revision,
): Promise<Entity> {
  const entity = await pageAt(change, path)
  demand(change.viewer, 'post.edit', entity.path)
  const { ifMatch, edit, draft = false, minor = false } = revision
  const base = await findBase(change, entity, ifMatch, draft)
  if (base === null) throw await staleEdit(change, entity, revision)
  const document = edit(base.document)
  change.record(
    decidePage(entity, { type: 'RevisePage', document, base: base.revision, draft, minor }),
  )
  return known(await change.entity(entity.id))
}

async function findBase(
  change: Change,
  entity: Entity,
  ifMatch: IfMatch,
  draft: boolean,
): Promise<Version | null> {
  const { live, sinceId } = entity
  const etags = etagsIn(ifMatch, entity)
  if (live && sinceId !== null && etags.includes(sinceId)) {
    const { revision, revisionId, document } = live
    return { revision, revisionId, document: documentOf(document) }
  }
  if (!draft && live !== null) return null
  for (const etag of etags) {
    const base = await findVersion(change, entity, etag)
    if (base && (draft || base.revision === entity.tipRevision)) return base
  }
  return null
}

/** Makes a revision live that the viewer may see. @throws REVISION_NOT_FOUND, NOTHING_TO_PUBLISH, PATH_TAKEN, PERMISSION_DENIED */
export async function publishPage(change: Change, path: string, revision: number): Promise<Entity> {
  const entity = await pageAt(change, path)
  demand(change.viewer, 'post.edit', entity.path)
  if (entity.live === null) await demandFree(change, entity.path)
  const version = await getVersion(change, entity, revision)
  change.record(decidePage(entity, { type: 'PublishPage', ...version }))
  return known(await change.entity(entity.id))
}

/**
 * Brings an old revision back as a new one, live or as a draft, or some of its members into what is live.
 *
 * @param options `fields`: pointers to members; all of it without
 * @throws REVISION_NOT_FOUND, ERASED, PERMISSION_DENIED, what `withFields` throws
 */
export async function restoreRevision(
  change: Change,
  path: string,
  options: { revision: number; draft?: boolean; fields?: readonly string[] },
): Promise<Entity> {
  const entity = await pageAt(change, path)
  demand(change.viewer, 'post.edit', entity.path)
  demand(change.viewer, 'history', entity.path)
  const { revision, draft = false, fields } = options
  const { document: old } = await getVersion(change, entity, revision)
  const base = entity.live?.revision ?? entity.tipRevision
  const command = { type: 'RevisePage', base, draft } as const
  if (fields === undefined) {
    change.record(decidePage(entity, { ...command, document: old, restored: revision }))
  } else {
    const now = documentOf(entity.live?.document ?? entity.tip)
    change.record(decidePage(entity, { ...command, document: withFields(now, old, fields) }))
  }
  return known(await change.entity(entity.id))
}

/**
 * Moves a page with everything below it, drafts of new pages too.
 *
 * @throws PATH_INVALID, PATH_TAKEN, MOVE_INTO_ITSELF, REQUEST_INVALID (more than `SUBTREE_MAX` pages), PERMISSION_DENIED (for any of
 *   them)
 */
export async function movePage(change: Change, from: string, to: string): Promise<Entity> {
  const { viewer } = change
  const top = await pageAt(change, from)
  const place = parsePath(to)
  demand(viewer, 'post.edit', top.path)
  demandCreate(change, place)
  for (const id of await subtreeOf(change, top)) {
    const entity = known(await change.entity(id))
    const target = movedPath(entity.path, top.path, place)
    if (!viewer.may('post.edit', entity.path) || !viewer.may('post.edit', target)) {
      throw denied(viewer, 'post.edit', top.path)
    }
    change.record(decidePage(entity, { type: 'MovePage', to: target }))
  }
  if (place !== top.path) change.leaveNothingAt(top.path)
  return known(await change.entity(top.id))
}

/** Ids of a page and all below it. @throws REQUEST_INVALID when they are too many */
async function subtreeOf(change: Change, top: Entity): Promise<Set<string>> {
  const { site } = change
  const pages = await listUnder(site.db, top.path, SUBTREE_MAX + 1)
  const drafts = await listDraftsBelow(site.db, top.path, SUBTREE_MAX + 1)
  const listed = [...pages, ...drafts].map(page => page.id)
  const ids = new Set([top.id, ...listed, ...change.changedIdsUnder(top.path)])
  if (ids.size <= SUBTREE_MAX) return ids
  throw new Rm3Error(
    'REQUEST_INVALID',
    `more than ${SUBTREE_MAX} pages are below ${top.path}; move them in parts`,
    { path: top.path, most: SUBTREE_MAX },
  )
}

/** Deletes a page; its history stays, and a user's passwords and tokens are void from then on. @throws REDIRECT_INVALID, PERMISSION_DENIED */
export async function deletePage(change: Change, path: string, redirect?: string): Promise<Entity> {
  const entity = await pageAt(change, path)
  demand(change.viewer, 'post.delete', entity.path)
  change.record(
    decidePage(entity, { type: 'DeletePage', ...(redirect !== undefined && { redirect }) }),
  )
  return known(await change.entity(entity.id))
}

/**
 * Brings a deleted page back, to its path or another. Of several deleted at one path it is the last.
 *
 * @throws PAGE_NOT_DELETED, PAGE_NOT_FOUND, PATH_INVALID, PATH_TAKEN, PERMISSION_DENIED
 */
export async function undeletePage(change: Change, path: string, to?: string): Promise<Entity> {
  const { viewer } = change
  if (!viewer.may('view', path)) throw absent(path)
  const id = (await deletedIdAt(change, path)) ?? (await change.liveIdAt(path))
  const entity = id === null ? null : await change.entity(id)
  if (entity === null) throw absent(path)
  const target = to === undefined ? entity.path : parsePath(to)
  demand(viewer, 'post.delete', entity.path)
  demandCreate(change, target)
  const events = decidePage(entity, { type: 'UndeletePage', path: target })
  await demandFree(change, target)
  change.record(events)
  return known(await change.entity(entity.id))
}

async function deletedIdAt({ site, viewer }: Change, path: string): Promise<string | null> {
  const id = await findDeletedId(site.db, path)
  return id ?? (viewer.may('viewdraft', path) ? findDeletedDraftId(site.db, path) : null)
}

/**
 * The entity that is live at a path, or has only drafts for it and the viewer may see drafts.
 *
 * @throws PAGE_NOT_FOUND also where the viewer may not look, PAGE_GONE where one was deleted
 */
export async function pageAt(change: Change, path: string): Promise<Entity> {
  const { site, viewer } = change
  if (!viewer.may('view', path)) throw absent(path)
  const live = await change.liveIdAt(path)
  const id = live ?? (viewer.may('viewdraft', path) ? await change.draftIdAt(path) : null)
  const entity = id === null ? null : await change.entity(id)
  if (entity !== null && entity.path === path) return entity
  if (entity !== null) throw moved(entity)
  const stub = await findStub(site.db, path)
  if (stub?.state === 'deleted' && stub.path === path) {
    throw new Rm3Error('PAGE_GONE', `${path} was deleted`, { path })
  }
  throw absent(path)
}

/** What was kept of the entity is older than its move: read it again. */
function moved(entity: Entity): Rm3Error {
  return new Rm3Error('REVISION_CONFLICT', `${entity.path} was moved at the same moment`, {
    stream: entity.id,
  })
}

/** Refuses early what the index on paths would refuse in the append. */
export async function demandFree(change: Change, path: string): Promise<void> {
  if ((await change.liveIdAt(path)) === null) return
  throw new Rm3Error('PATH_TAKEN', `another page is at ${path}`, { path })
}

function known(entity: Entity | null): Entity {
  if (entity === null) throw new Error('the entity of a listed page has no events')
  return entity
}
