import type { Change } from '../commands/change.ts'
import { createPage, pageAt } from '../commands/pages.ts'
import type { Document } from '../content/document.ts'
import { etagOf, etagsIn, type IfMatch } from '../content/if-match.ts'
import { SLUG_MAX } from '../content/limits.ts'
import { childPath, leafLabel, parsePath } from '../content/path.ts'
import { labelFromTitle } from '../content/slug.ts'
import type { Entity } from '../content/state.ts'
import { Rm3Error } from '../errors.ts'
import type { Db } from '../pg/db.ts'

/** Where a new page shall be: a path, or below a parent under a label made from its title. */
export type NewPlace = { readonly path: string } | { readonly parent: string }

/** The place out of the members `path` and `parent` of a body. @throws REQUEST_INVALID unless it is one of them, PATH_INVALID */
export function placeOf(path: string | undefined, parent: string | undefined): NewPlace {
  if (path !== undefined && parent === undefined) return { path: parsePath(path) }
  if (parent !== undefined && path === undefined) return { parent: parsePath(parent) }
  throw new Rm3Error('REQUEST_INVALID', 'give either path, or parent to have a path made', {
    pointer: '/path',
  })
}

/** Makes a page at a place. @throws as `createPage` */
export async function createPageAt(
  change: Change,
  place: NewPlace,
  page: { document: Document; draft: boolean },
): Promise<Entity> {
  if ('path' in place) return createPage(change, { path: place.path, ...page })
  const title = String(page.document.summary['title'])
  const path = await freePath(change.site.db, place.parent, title)
  return createPage(change, { path, ...page })
}

/** Labels that are looked at when one is taken. */
const NEIGHBOURS_MAX = 10_000
/** A number behind it may cut a long label's end. */
const STEM_CHARS = SLUG_MAX - 8
/** Siblings whose labels begin with the stem; `{` comes after all characters of a label. */
const NEIGHBOURS = `select path from pages where parent = $1::text and path >= $2::text and path < $2::text || '{'
  union select path from unpublished where path >= $2::text and path < $2::text || '{'
  limit ${NEIGHBOURS_MAX}`

async function freePath(db: Db, parent: string, title: string): Promise<string> {
  const label = labelFromTitle(title, () => false)
  const stem = childPath(parent, label.slice(0, STEM_CHARS))
  const rows = await db.rows<{ path: string }>(NEIGHBOURS, [parent, stem])
  const taken = new Set(rows.map(({ path }) => leafLabel(path)))
  return childPath(
    parent,
    labelFromTitle(title, candidate => taken.has(candidate)),
  )
}

/**
 * Refuses a change of a page that is not as the caller last saw it.
 *
 * @param ifMatch null: the caller does not say
 * @throws IF_MATCH_STALE, and what `pageAt` throws
 */
export async function demandUnchanged(
  change: Change,
  path: string,
  ifMatch: IfMatch | null,
): Promise<void> {
  if (ifMatch === null) return
  const entity = await pageAt(change, path)
  const etag = etagOf(entity)
  if (etagsIn(ifMatch, entity).includes(etag)) return
  throw new Rm3Error('IF_MATCH_STALE', `${path} was changed since; look at it again`, {
    path,
    etag,
    revision: entity.live?.revision ?? entity.tipRevision,
  })
}
