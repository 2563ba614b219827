import { listNewPages, type NewPage } from '../../projections/feed.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { pastOf } from './past-filter.ts'
import { listPeople } from './people.ts'
import { type Reader, viewerOf } from './reader.ts'

/** Most pages of a feed. */
const ENTRIES_MAX = 20
/** What people write for others to read; not users, comments, folders of pictures and the like. */
const PROTOS = ['base', 'blog', 'blogsidebar', 'audio', 'link', 'photo']

/** A page of the feed with its author's name; null when there is no such user any more. */
export type FeedPage = NewPage & { readonly authorName: string | null }

/**
 * Live pages that a reader may view, those that went live last first: 20 at most. As of a position those that were live then and whose past
 * the reader may read.
 *
 * @param position null: now
 */
export async function readNewPages(
  site: Site,
  reader: Reader,
  position: number | null,
): Promise<FeedPage[]> {
  const viewer = await viewerOf(site, reader)
  const pages =
    position === null
      ? await listNewPages(site.db, viewer.pathsWith('view') ?? '', PROTOS, ENTRIES_MAX)
      : await listPast(site, viewer, position)
  const people = await listPeople(
    site.db,
    pages.map(({ author }) => author),
  )
  return pages.map(page => ({ ...page, authorName: people.get(page.author)?.name ?? null }))
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
