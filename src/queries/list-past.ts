import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { readState } from '../commands/states.ts'
import { documentOf } from '../content/document.ts'
import type { Entity } from '../content/state.ts'
import { filterOf, type Listing, orderOf, type Sorted, tagged } from './listing.ts'
import { type Add, pastOf } from './past-filter.ts'

const COLUMNS = `p.entity_id as "entityId", p.path, s.from_position as position, s.revision, s.revision_id as "revisionId", s.number,
  p.proto, p.hidden, p.created, s.modified, s.touched, s.author, p.summary::text as summary, '{}' as data, p.tags::text as tags`
/** Documents that are folded at the same time. */
const FOLDED_MAX = 4

/** A part of a listing as of a position. */
export async function listPast(
  site: Site,
  viewer: Viewer,
  listing: Listing,
  keys: readonly (string | number)[] | null,
  { wanted, withData, at: position }: { wanted: number; withData: boolean; at: number },
): Promise<Sorted[]> {
  const { where, values } = filterOf(listing, 'p')
  const add: Add = value => `$${values.push(value)}`
  const at = add(position)
  where.push(`p.from_position <= ${at}::bigint and p.until_position > ${at}::bigint`)
  where.push(...pastOf(viewer, 'p', add))
  if (listing.hidden) {
    const edit = add(viewer.pathsWith('post.edit'))
    where.push(`(not p.hidden or ${edit}::text is null or p.path ~ ${edit}::text)`)
  } else where.push('not p.hidden')
  if (listing.tag !== null) where.push(tagged(listing.tag, add, 'p', at))
  const byRevision = listing.sort === 'modified'
  const order = orderOf(listing, keys, add, where, byRevision ? 's.modified' : undefined)
  const shown = `cross join lateral (select * from page_history h where h.entity_id = p.entity_id and h.from_position > 0
    and h.from_position <= ${at}::bigint order by h.from_position desc limit 1) s`
  const limit = `order by ${order.by} limit ${add(wanted)}::int`
  const condition = where.join('\n and ')
  // what a listing is sorted by is mostly known before its revisions are looked up
  const text = byRevision
    ? `select ${COLUMNS}, ${order.key} as "sortKey" from headings p ${shown} where ${condition} ${limit}`
    : `select ${COLUMNS}, ${order.key} as "sortKey" from (select p.* from headings p where ${condition} ${limit}) p ${shown}
      order by ${order.by}`
  const found = await site.db.rows<Sorted>(text, values)
  return withData ? withDataOf(site, found) : found
}

/** `data` is in no heading: each document is read as it was. */
async function withDataOf({ db }: Site, found: readonly Sorted[]): Promise<Sorted[]> {
  const items: Sorted[] = []
  for (let from = 0; from < found.length; from += FOLDED_MAX) {
    const part = found.slice(from, from + FOLDED_MAX).map(async item => {
      const entity = (await readState(db, item.entityId, item.revision)) as Entity | null
      return { ...item, data: entity === null ? '{}' : JSON.stringify(documentOf(entity.tip).data) }
    })
    items.push(...(await Promise.all(part)))
  }
  return items
}
