import { listNewPages, listPublished, type NewPage } from '../../projections/feed.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { type Moment, pastPosition } from './at.ts'
import { pastOf } from './past-filter.ts'
import { listPeople } from './people.ts'
import { listPlanned } from './planned.ts'

/** Most pages of a feed. */
const ENTRIES_MAX = 20
/** What people write for others to read; not users, comments, folders of pictures and the like. */
const PROTOS = ['base', 'blog', 'blogsidebar', 'audio', 'link', 'photo']

/** A page of the feed with its author's name; null when there is no such user any more. */
export type FeedPage = NewPage & { readonly authorName: string | null }

/**
 * Live pages that a reader may view, those that went live last first: 20 at most. As of a position those that were live then and whose past
 * the reader may read; ahead with what is scheduled.
 *
 * @param when null: now
 */
export async function readNewPages(
  site: Site,
  viewer: Viewer,
  when: Moment | null,
): Promise<FeedPage[]> {
  const position = pastPosition(when)
  const pages =
    position === null ? await listAhead(site, viewer, when) : await listPast(site, viewer, position)
  const people = await listPeople(
    site.db,
    pages.map(({ author }) => author),
  )
  return pages.map(page => ({ ...page, authorName: people.get(page.author)?.name ?? null }))
}

/** Those of today, and before them what will go live for the first time, the last first; no planned pages: now. */
async function listAhead(site: Site, viewer: Viewer, when: Moment | null): Promise<NewPage[]> {
  const { db } = site
  const planned = (await listPlanned(site, viewer, when)).filter(({ proto }) =>
    PROTOS.includes(proto),
  )
  const limit = ENTRIES_MAX + planned.length
  const today = await listNewPages(db, viewer.pathsWith('view') ?? '', PROTOS, limit)
  if (planned.length === 0) return today
  const known = await listPublished(
    db,
    planned.map(({ entityId }) => entityId),
  )
  const entries = planned.map(({ entityId, path, title, summary, author, modified }) => {
    const published = known.get(entityId) ?? modified
    return { entityId, path, title, summary, author, published, modified }
  })
  const replaced = new Set(planned.map(({ entityId }) => entityId))
  const shown = entries.filter((_, index) => planned[index]?.hidden === false)
  return [...shown, ...today.filter(({ entityId }) => !replaced.has(entityId))]
    .sort((one, other) => (one.published < other.published ? 1 : -1))
    .slice(0, ENTRIES_MAX)
}

const PAST = `select f.entity_id as "entityId", p.path, p.title, p.summary::text as summary, s.author, f.published, s.modified
  from feed f join headings p on p.entity_id = f.entity_id and p.from_position <= $1::bigint and p.until_position > $1::bigint
  cross join lateral (select * from page_history h where h.entity_id = f.entity_id and h.from_position > 0
    and h.from_position <= $1::bigint order by h.from_position desc limit 1) s
  where f.position <= $1::bigint and not p.hidden and p.proto = any($2::text[])`

function listPast({ db }: Site, viewer: Viewer, position: number): Promise<NewPage[]> {
  const values: unknown[] = [position, PROTOS]
  const where = [PAST, ...pastOf(viewer, 'p', value => `$${values.push(value)}`)].join(' and ')
  return db.rows<NewPage>(`${where} order by f.position desc limit ${ENTRIES_MAX}`, values)
}
