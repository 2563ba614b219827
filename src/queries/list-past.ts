import type { Shown } from '../../projections/page-history.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { filterOf, type Listing, orderOf, type Sorted, tagged } from './listing.ts'
import { pastRecord } from './read-past.ts'

const COLUMNS = `p.entity_id as "entityId", p.state, p.path, p.revision, p.revision_id as "revisionId", p.number,
  p.from_position as "fromPosition", p.created, p.modified, p.touched, p.author, p.redirect`
/** Documents that are folded at the same time. */
const FOLDED_MAX = 4

/** A part of a listing as of a position. */
export async function listPast(
  site: Site,
  viewer: Viewer,
  listing: Listing,
  keys: readonly (string | number)[] | null,
  {
    wanted,
    position,
    withData,
  }: { readonly wanted: number; readonly position: number; readonly withData: boolean },
): Promise<Sorted[]> {
  const { where, values } = filterOf(listing, 'p')
  const add = (value: unknown) => `$${values.push(value)}`
  const at = add(position)
  where.push(`p.from_position <= ${at}::bigint and p.until_position > ${at}::bigint`)
  where.push(`p.state = 'live'`)
  for (const permission of ['view', 'history']) {
    const may = add(viewer.pathsWith(permission))
    where.push(`(${may}::text is null or p.path ~ ${may}::text and now.path ~ ${may}::text)`)
  }
  if (listing.hidden) {
    const edit = add(viewer.pathsWith('post.edit'))
    where.push(`(not p.hidden or ${edit}::text is null or p.path ~ ${edit}::text)`)
  } else where.push('not p.hidden')
  if (listing.tag !== null) where.push(tagged(listing.tag, add, 'p', at))
  const order = orderOf(listing, keys, add, where)
  const text = `select ${COLUMNS}, ${order.key} as "sortKey" from page_history p
    cross join lateral (select h.path from page_history h where h.entity_id = p.entity_id
      order by h.from_position desc limit 1) now
    where ${where.join('\n and ')}
    order by ${order.by} limit ${add(wanted)}::int`
  const found = await site.db.rows<Shown & { sortKey: string }>(text, values)
  const items: Sorted[] = []
  for (let from = 0; from < found.length; from += FOLDED_MAX) {
    const folded = found.slice(from, from + FOLDED_MAX).map(async shown => {
      const record = await pastRecord(site.db, shown)
      return { ...record, ...(!withData && { data: '{}' }), sortKey: shown.sortKey }
    })
    items.push(...(await Promise.all(folded)))
  }
  return items
}
