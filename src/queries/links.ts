import {
  type BrokenLink,
  type LinkFrom,
  type LinkTo,
  listBrokenLinks,
  listEverLinking,
  listLinksFrom,
  listLinksTo,
} from '../../projections/links.ts'
import { findIdAtPath } from '../../projections/pages.ts'
import { absent, type Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { hyperlinksOf } from '../content/hyperlinks.ts'
import type { AtAhead, AtPosition, Moment } from './at.ts'
import { makeCursor, readCursor } from './cursor.ts'
import { listPlanned, readPlannedDocuments } from './planned.ts'
import { readPage } from './read-page.ts'
import { readPagePast } from './read-past.ts'
import { type PageThen, readPagesThen } from './read-then.ts'
import { type Reader, viewerOf } from './reader.ts'
import { documentIn, type PageRecord } from './record.ts'

/** Most links that are listed from or to a page. */
export const LINKS_MAX = 1_000
/** Links that one look for broken ones goes through. */
const LOOKED_MAX = 5_000

/**
 * The links of a live page and those to it, from pages that the reader may view; `LINKS_MAX` of each at most.
 *
 * @throws PAGE_NOT_FOUND when no page is there or the reader may not view it
 */
export async function readLinks(
  site: Site,
  reader: Reader,
  path: string,
): Promise<{ from: LinkFrom[]; to: LinkTo[] }> {
  const viewer = await viewerOf(site, reader)
  const id = viewer.may('view', path) ? await findIdAtPath(site.db, path) : null
  if (id === null) throw absent(path)
  const [from, to] = await Promise.all([
    listLinksFrom(site.db, id, LINKS_MAX),
    linksToNow(site, viewer, path),
  ])
  return { from, to }
}

function linksToNow({ db }: Site, viewer: Viewer, path: string): Promise<LinkTo[]> {
  const where = {
    viewed: viewer.pathsWith('view') ?? '',
    hiddenToo: viewer.pathsWith('post.edit') ?? '',
  }
  return listLinksTo(db, path, where, LINKS_MAX)
}

/**
 * As `readLinks` at another time. `fromPosition` is since when a page said what it did.
 *
 * In the past it is of what the reader may read the past of: the page at the path then, and of the pages that ever linked to it the first
 * `LINKS_MAX`, as they were. Ahead what is scheduled counts in the place of what it will replace.
 *
 * @throws PAGE_NOT_FOUND, LOGIN_REQUIRED, PERMISSION_DENIED, ERASED
 */
export async function readLinksAt(
  site: Site,
  reader: Reader,
  path: string,
  at: Moment,
): Promise<{ from: LinkFrom[]; to: LinkTo[] }> {
  return 'ahead' in at
    ? readLinksAhead(site, reader, path, at)
    : readLinksPast(site, reader, path, at)
}

async function readLinksAhead(
  site: Site,
  reader: Reader,
  path: string,
  at: AtAhead,
): Promise<{ from: LinkFrom[]; to: LinkTo[] }> {
  const answer = await readPage(site, reader, path, at)
  if (answer.type !== 'page' || answer.page.draft) throw absent(path)
  const { viewer, page } = answer
  const planned = await listPlanned(site, viewer, at)
  const counted = planned.filter(one => !one.hidden || viewer.may('post.edit', one.path))
  const ahead = await readPlannedDocuments(site, counted, ({ page, document }) => {
    const { entityId, title, position: fromPosition } = page
    const link = { entityId, path: page.path, title, fromPosition }
    return leadsTo(path, { document, path: page.path }) ? [link] : []
  })
  const replaced = new Set(planned.map(({ entityId }) => entityId))
  const today = await linksToNow(site, viewer, path)
  const to = [...today.filter(({ entityId }) => !replaced.has(entityId)), ...ahead.flat()]
  to.sort((one, other) => (one.path < other.path ? -1 : 1))
  return { from: linksIn(page), to }
}

async function readLinksPast(
  site: Site,
  reader: Reader,
  path: string,
  at: AtPosition,
): Promise<{ from: LinkFrom[]; to: LinkTo[] }> {
  const answer = await readPagePast(site, reader, path, at)
  if (answer.type !== 'page') throw absent(path)
  const { viewer, page } = answer
  const { position } = at
  const ids = await listEverLinking(site.db, path, LINKS_MAX)
  const which = { ids, position, limit: LINKS_MAX }
  const pages = await readPagesThen(site, viewer, which, { below: null, hidden: true })
  const to = pages
    .filter(one => leadsTo(path, one))
    .map(({ entityId, path, title, fromPosition }) => ({ entityId, path, title, fromPosition }))
  return { from: linksIn(page), to }
}

function leadsTo(path: string, page: Pick<PageThen, 'document' | 'path'>): boolean {
  const links = hyperlinksOf(page.document, page.path)
  return links.some(link => link.type === 'page' && link.path === path)
}

/** Those within the site first, as `readLinks` has them. */
function linksIn(page: PageRecord): LinkFrom[] {
  const links = hyperlinksOf(documentIn(page), page.path).map((link): LinkFrom => {
    const to = link.type === 'page' ? { path: link.path, url: null } : { path: null, url: link.url }
    return { ...to, fromPosition: page.position }
  })
  const key = ({ path, url }: LinkFrom) => (path === null ? `1 ${url}` : `0 ${path}`)
  return links.sort((one, other) => (key(one) < key(other) ? -1 : 1))
}

/**
 * Links of pages that the reader may edit to paths where there is no page, in the order of these paths. Links to paths that the reader
 * may not view are left out, whatever is there. A part may have fewer than `limit` although more follow.
 *
 * @throws CURSOR_INVALID when `after` is not of this list
 */
export async function readBrokenLinks(
  site: Site,
  reader: Reader,
  part: { limit: number; after: string | null },
): Promise<{ items: BrokenLink[]; next: string | null }> {
  const viewer = await viewerOf(site, reader)
  const keys = part.after === null ? null : readCursor(LIST, part.after, ['string', 'string'])
  const { links, bound } = await listBrokenLinks(
    site.db,
    { edited: viewer.pathsWith('post.edit') ?? '', viewed: viewer.pathsWith('view') ?? '' },
    {
      after: keys && { target: String(keys[0]), entityId: String(keys[1]) },
      looked: LOOKED_MAX,
      limit: part.limit + 1,
    },
  )
  const items = links.slice(0, part.limit)
  const last = links.length > part.limit ? items.at(-1) : bound
  return { items, next: last ? makeCursor(LIST, [last.target, last.entityId]) : null }
}

const LIST = { list: 'broken links' }
