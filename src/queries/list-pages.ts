import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { FOREVER } from '../projector/define.ts'
import { makeCursor, readCursor } from './cursor.ts'
import { listPast } from './list-past.ts'
import { filterOf, type Listing, orderOf, type Sorted, tagged } from './listing.ts'
import { type Reader, viewerOf } from './reader.ts'

export const PAGES_MAX = 200
export const PAGES_DEFAULT = 50
/** A page of a listing. */
export interface Listed {
  /** `data` is '{}' unless it was asked for. */
  readonly items: Sorted[]
  /** Where the next page begins; null at the end. */
  readonly next: string | null
}

/** Which part of a listing is wanted. */
export interface Part {
  readonly limit: number
  /** `next` of the part before; null: the beginning. */
  readonly after: string | null
  /** As of a position; null: now. */
  readonly position: number | null
  /** With `data`, which may be large. */
  readonly withData?: boolean
}

/** The cursor of what follows an item in its listing, which may have been found in another way. */
export function cursorAfter(
  listing: Listing,
  position: number | null,
  item: Pick<Sorted, 'sortKey' | 'path'>,
): string {
  return makeCursor([listing, position], [item.sortKey, item.path])
}

/**
 * Pages that a reader may view, sorted, `limit` at a time. As of a position: those that were live then and that the reader may
 * read the past of (see `readPage`).
 *
 * @throws CURSOR_INVALID when `after` is not of this listing
 */
export async function listPages(
  site: Site,
  reader: Reader,
  listing: Listing,
  part: Part,
): Promise<Listed> {
  const viewer = await viewerOf(site, reader)
  const keys =
    part.after === null
      ? null
      : readCursor([listing, part.position], part.after, ['string', 'string'])
  const wanted = part.limit + 1
  const { position, withData = false } = part
  const found =
    position === null
      ? await listNow(site, viewer, listing, keys, { wanted, withData })
      : await listPast(site, viewer, listing, keys, { wanted, position, withData })
  const items = found.slice(0, part.limit)
  const last = items.at(-1)
  const more = found.length > part.limit && last !== undefined
  return {
    items,
    next: more ? cursorAfter(listing, position, last) : null,
  }
}

const COLUMNS = `p.entity_id as "entityId", p.path, p.position, p.revision, p.revision_id as "revisionId", p.number, p.proto,
  p.hidden, p.created, p.modified, p.touched, p.author, p.summary::text as summary, p.tags::text as tags`

async function listNow(
  site: Site,
  viewer: Viewer,
  listing: Listing,
  keys: readonly (string | number)[] | null,
  { wanted, withData }: { wanted: number; withData: boolean },
): Promise<Sorted[]> {
  const filter = filterOf(listing, 'p')
  const { where, values } = filter
  const add = (value: unknown) => `$${values.push(value)}`
  const may = add(viewer.pathsWith('view'))
  where.push(`(${may}::text is null or p.path ~ ${may}::text)`)
  if (listing.hidden) {
    const edit = add(viewer.pathsWith('post.edit'))
    where.push(`(not p.hidden or ${edit}::text is null or p.path ~ ${edit}::text)`)
  } else where.push('not p.hidden')
  if (listing.tag !== null) where.push(tagged(listing.tag, add, 'p', add(FOREVER - 1)))
  const order = orderOf(listing, keys, add, where)
  const text = `select ${COLUMNS}, ${withData ? 'p.data::text' : "'{}'"} as data, ${order.key} as "sortKey" from pages p
    where ${where.join('\n and ')}
    order by ${order.by} limit ${add(wanted)}::int`
  return site.db.rows<Sorted>(text, values)
}
