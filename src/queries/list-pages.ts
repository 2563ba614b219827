import type { Site } from '../commands/change.ts'
import { keyOf, type Moment } from './at.ts'
import { makeCursor, readCursor } from './cursor.ts'
import { listNow } from './list-now.ts'
import { listPast } from './list-past.ts'
import type { Listing, Sorted } from './listing.ts'
import { listPlanned } from './planned.ts'
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
  /** As of when; null: now. */
  readonly when: Moment | null
  /** With `data`, which may be large. */
  readonly withData?: boolean
}

/** The cursor of what follows an item in its listing, which may have been found in another way. */
export function cursorAfter(
  listing: Listing,
  when: Moment | null,
  item: Pick<Sorted, 'sortKey' | 'path'>,
): string {
  return makeCursor([listing, keyOf(when)], [item.sortKey, item.path])
}

/**
 * Pages that a reader may view, sorted, `limit` at a time. As of a position: those that were live then and that the reader may
 * read the past of (see `readPage`). Ahead: with what is planned by then, where the viewer may see drafts.
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
      : readCursor([listing, keyOf(part.when)], part.after, ['string', 'string'])
  const wanted = part.limit + 1
  const { when, withData = false } = part
  const found =
    when === null || 'ahead' in when
      ? await listNow(site, viewer, listing, keys, {
          ...{ wanted, withData, planned: await listPlanned(site, viewer, when) },
        })
      : await listPast(site, viewer, listing, keys, { ...{ wanted, withData }, at: when.position })
  const items = found.slice(0, part.limit)
  const last = items.at(-1)
  const more = found.length > part.limit && last !== undefined
  return {
    items,
    next: more ? cursorAfter(listing, when, last) : null,
  }
}
