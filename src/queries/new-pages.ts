import { listNewPages, type NewPage } from '../../projections/feed.ts'
import type { Site } from '../commands/change.ts'
import { listPeople } from './people.ts'
import { type Reader, viewerOf } from './reader.ts'

/** Most pages of a feed. */
const ENTRIES_MAX = 20
/** What people write for others to read; not users, comments, folders of pictures and the like. */
const PROTOS = ['base', 'blog', 'blogsidebar', 'audio', 'link', 'photo']

/** A page of the feed with its author's name; null when there is no such user any more. */
export type FeedPage = NewPage & { readonly authorName: string | null }

/** Live pages that a reader may view, those that went live last first: 20 at most. */
export async function readNewPages(site: Site, reader: Reader): Promise<FeedPage[]> {
  const viewer = await viewerOf(site, reader)
  const pages = await listNewPages(site.db, viewer.pathsWith('view') ?? '', PROTOS, ENTRIES_MAX)
  const people = await listPeople(
    site.db,
    pages.map(({ author }) => author),
  )
  return pages.map(page => ({ ...page, authorName: people.get(page.author)?.name ?? null }))
}
