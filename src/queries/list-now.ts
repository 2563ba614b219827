import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { readState } from '../commands/states.ts'
import { documentOf } from '../content/document.ts'
import type { Entity } from '../content/state.ts'
import { FOREVER } from '../projector/define.ts'
import { filterOf, type Listing, orderOf, type Sorted, tagged } from './listing.ts'
import { fits } from './past-filter.ts'
import { type PlannedPage, pagesWith } from './planned.ts'

const COLUMNS = `p.entity_id as "entityId", p.path, p.position, p.revision, p.revision_id as "revisionId", p.number, p.proto,
  p.hidden, p.created, p.modified, p.touched, p.author, p.summary::text as summary, p.tags::text as tags`

/** A part of a listing as it is now. @param part `planned`: pages that shall be listed as they will be */
export async function listNow(
  site: Site,
  viewer: Viewer,
  listing: Listing,
  keys: readonly (string | number)[] | null,
  part: { wanted: number; withData: boolean; planned: readonly PlannedPage[] },
): Promise<Sorted[]> {
  const { wanted, withData, planned } = part
  const { where, values } = filterOf(listing, 'p')
  const add = (value: unknown) => `$${values.push(value)}`
  const viewed = viewer.pathsWith('view')
  if (viewed !== null) where.push(fits('p.path', [add(viewed)]))
  if (listing.hidden) {
    const edit = add(viewer.pathsWith('post.edit'))
    where.push(`(not p.hidden or ${edit}::text is null or p.path ~ ${edit}::text)`)
  } else where.push('not p.hidden')
  if (listing.tag !== null) {
    const now = tagged(listing.tag, add, 'p', add(FOREVER - 1))
    where.push(
      planned.length === 0
        ? now
        : `case when p.tagged is null then ${now} else ${willBe(listing.tag, add)} end`,
    )
  }
  const order = orderOf(listing, keys, add, where)
  const text = `select ${COLUMNS}, ${withData ? 'p.data::text' : "'{}'"} as data, ${order.key} as "sortKey"
    from ${pagesWith(planned, add)} p
    where ${where.join('\n and ')}
    order by ${order.by} limit ${add(wanted)}::int`
  const found = await site.db.rows<Sorted>(text, values)
  return withData && planned.length > 0 ? withPlannedData(site, found, planned) : found
}

/** That a planned page has a tag. */
function willBe(
  { predicate, object }: NonNullable<Listing['tag']>,
  add: (value: unknown) => string,
): string {
  const [one, other] = [add(predicate), add(object)]
  return `exists (select from json_array_elements(p.tagged) t
    where (${one}::text is null or t->>0 = ${one}::text) and (${other}::text is null or t->>1 = ${other}::text))`
}

async function withPlannedData(
  { db }: Site,
  found: readonly Sorted[],
  planned: readonly PlannedPage[],
): Promise<Sorted[]> {
  const ids = new Set(planned.map(({ entityId }) => entityId))
  const items: Sorted[] = []
  for (const item of found) {
    const isPlanned = ids.has(item.entityId)
    const state = isPlanned ? await readState(db, item.entityId, item.revision) : null
    const { tip } = (state ?? { tip: null }) as Pick<Entity, 'tip'>
    items.push(tip === null ? item : { ...item, data: JSON.stringify(documentOf(tip).data) })
  }
  return items
}
