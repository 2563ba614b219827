import { pathsAbove } from '../../content/path.ts'
import { isRm3Error } from '../../errors.ts'
import { cursorAfter, listPages, PAGES_MAX } from '../../queries/list-pages.ts'
import { CHILDREN, DEPTH_ALL, type Listing, type Sorted } from '../../queries/listing.ts'
import type { FeedNeed } from '../../scheme/feeds.ts'
import { type Scene, urlWith } from './scene.ts'

/** A listing of a page as it was found. */
export interface FoundListing {
  readonly key: string
  readonly items: readonly Sorted[]
  readonly previousUrl: string | null
  readonly nextUrl: string | null
}

/** Listings of a page that are looked up; a page with more shows these. */
const LISTINGS_MAX = 8

/**
 * Looks up the listings that a page needs: one statement each, one more where it goes back.
 *
 * @param proto of the page
 * @param query of the request
 */
export async function findListings(
  scene: Scene,
  { needs, proto, query }: { needs: readonly FeedNeed[]; proto: string; query: Query },
): Promise<FoundListing[]> {
  return Promise.all(
    needs.slice(0, LISTINGS_MAX).map(async need => {
      const cursor = query[need.key]
      const after = need.paginate && typeof cursor === 'string' && cursor !== '' ? cursor : null
      const listing = listingOf(need, scene.path, proto)
      try {
        return await findListing(scene, need, listing, after)
      } catch (thrown) {
        // a cursor of yesterday's listing, in a bookmark perhaps: it begins anew
        if (isRm3Error(thrown, 'CURSOR_INVALID')) return findListing(scene, need, listing, null)
        throw thrown
      }
    }),
  )
}

type Query = Readonly<Record<string, unknown>>

async function findListing(
  scene: Scene,
  need: FeedNeed,
  listing: Listing,
  after: string | null,
): Promise<FoundListing> {
  const { pages, viewer, when } = scene
  const { key, perPage, paginate, sort } = need
  const limit = sort === 'random' ? PAGES_MAX : perPage
  const { items, next } = await listPages(pages.site, viewer, listing, { limit, after, when })
  if (sort === 'random') {
    return { key, items: shuffled(items).slice(0, perPage), previousUrl: null, nextUrl: null }
  }
  const nextUrl = paginate && next !== null ? urlWith(scene, key, next) : null
  const previousUrl = after === null ? null : await findPrevious(scene, need, listing, items[0])
  return { key, items, previousUrl, nextUrl }
}

/** What a page asks for as a query. Comments are shown below what they are about, and in listings that name them. */
function listingOf(need: FeedNeed, path: string, proto: string): Listing {
  const { rootPath, select, sort, navbar } = need
  const common: Listing = {
    ...CHILDREN,
    proto: need.proto,
    ...(need.proto === null && { exceptProto: 'comment' }),
    tag: navbar ? { predicate: 'navigation', object: 'navbar' } : null,
    sort: sort === 'created' ? 'created' : sort === 'changed' ? 'modified' : 'path',
    descending: sort === 'created' || sort === 'changed',
  }
  switch (select) {
    case 'dir':
      return { ...common, parent: rootPath }
    case 'child':
      return { ...common, parent: rootPath, depth: DEPTH_ALL }
    case 'parents':
      return { ...common, depth: DEPTH_ALL, paths: [...pathsAbove(rootPath), rootPath] }
    case 'uses': {
      const used = proto === 'predicate' ? { predicate: path, object: null } : null
      return { ...common, depth: DEPTH_ALL, tag: used ?? { predicate: null, object: path } }
    }
  }
}

/** Where the part before begins: the same listing backwards, from its first item here. */
async function findPrevious(
  scene: Scene,
  { key, perPage }: FeedNeed,
  listing: Listing,
  first: Sorted | undefined,
): Promise<string> {
  const { pages, viewer, when } = scene
  if (first === undefined) return urlWith(scene, key, null)
  const backwards = { ...listing, descending: !listing.descending }
  const after = cursorAfter(backwards, when, first)
  const part = { limit: perPage + 1, after, when }
  const { items } = await listPages(pages.site, viewer, backwards, part)
  const before = items[perPage]
  return urlWith(scene, key, before === undefined ? null : cursorAfter(listing, when, before))
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  const mixed = [...items]
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    const [a, b] = [mixed[last] as Item, mixed[other] as Item]
    mixed[last] = b
    mixed[other] = a
  }
  return mixed
}
