import { pathsAbove, USERS_PATH } from '../../content/path.ts'
import { listPages } from '../../queries/list-pages.ts'
import { CHILDREN as ALL_CHILDREN, type Sorted } from '../../queries/listing.ts'
import type { NamedPage } from '../../queries/named-pages.ts'
import type { PageAnswer } from '../../queries/page-answer.ts'
import { findMaker, type People } from '../../queries/people.ts'
import { documentIn } from '../../queries/record.ts'
import { isJsonObject, textAt } from '../../scheme/json.ts'
import { needsOf, type PageNeeds } from '../../scheme/needs.ts'
import { renderPage } from '../../scheme/page-view.ts'
import { isPath, urlOfPath, withQuery } from '../../scheme/site-urls.ts'
import type {
  AudioFile,
  CommentView,
  Link,
  ListEntry,
  Listing,
  PageView,
  Person,
  RevisionNotice,
} from '../../scheme/views.ts'
import {
  type Around,
  breadcrumbOf,
  frameOf,
  namedIn,
  peopleIn,
  personOf,
  ROOT,
  readAround,
} from './around.ts'
import { ofBelow, ofChildren, ofPage } from './changes.ts'
import { fileUrl, pictureOf, SHOWN_BY_FILE, siteImage } from './images-of.ts'
import { type FoundListing, findListings } from './listings.ts'
import { linkQueryOf, type Scene, urlIn, viewUrl } from './scene.ts'
import { summaryIn } from './titles.ts'

const COMMENTS_MAX = 100
const WITH_FILE = new Set([...SHOWN_BY_FILE, 'audio'])

/** Everything that was looked up for a page. */
interface Found {
  readonly people: People
  /** Who made the page first. */
  readonly maker: string | null
  readonly around: Around
  readonly listings: readonly FoundListing[]
  readonly comments: readonly Sorted[]
  readonly named: ReadonlyMap<string, NamedPage>
}

export interface PageExtras {
  /** Of the request. */
  readonly query: Readonly<Record<string, unknown>>
  /** Set when this is not (only) the live page. */
  readonly revision: RevisionNotice | null
  /** The path whose history is linked; null: none. */
  readonly historyPath: string | null
}

export interface BuiltPage {
  readonly html: string
  /** What is shown on it (see `changes.ts`); null: too much to say. */
  readonly parts: readonly string[] | null
}

/**
 * A page as HTML. Takes five statements, one for each listing it shows, and one for its comments, in two rounds;
 * what other pages show too is remembered as long as the log does not grow, and mostly it takes two.
 *
 * @param answer for the viewer of the scene
 */
export async function buildPage(
  scene: Scene,
  { page }: PageAnswer & { type: 'page' },
  extras: PageExtras,
): Promise<BuiltPage> {
  const { scheme } = scene.pages
  const document = documentIn(page)
  const url = urlOfPath(page.path)
  const linkQuery = linkQueryOf(scene)
  const needs = needsOf(scheme, { path: page.path, url, document, linkQuery })
  const found = await lookUp(scene, { needs, proto: document.proto, query: extras.query }, page)
  const own = found.named.get(page.path)
  const view: PageView = {
    frame: frameOf(scene, found.around, found),
    page: {
      path: page.path,
      url: urlIn(scene, page.path),
      document,
      created: page.created,
      modified: page.modified,
      author: personOf(scene, found.people, found.maker),
    },
    breadcrumb: breadcrumbOf(scene, found.named),
    listings: Object.fromEntries(
      found.listings.map(listing => [listing.key, shownListing(scene, found, listing)]),
    ),
    images: Object.fromEntries(
      needs.images.map(path => [path, siteImage(scene, found.named.get(path))]),
    ),
    links: linksIn(scene, needs.links, found.named),
    comments: found.comments.map(comment => shownComment(scene, found, comment)),
    picture: SHOWN_BY_FILE.has(document.proto) ? pictureOf(scene, own) : null,
    audio: audioOf(scene, own),
    tagUrlPrefix: null,
    historyUrl:
      extras.historyPath === null ? null : viewUrl(scene, extras.historyPath, 'history.html'),
    editUrl: null,
    alternates: [
      {
        title: 'This page as JSON',
        url: withQuery(`/api/pages/${page.path}`, linkQuery),
        mediaType: 'application/json',
      },
    ],
    revision: extras.revision,
  }
  return { html: renderPage(scheme, view), parts: partsOf(page.path, needs, found) }
}

/** What must not have changed for the page to be still right, besides rights and settings. */
function partsOf(path: string, needs: PageNeeds, { comments }: Found): string[] | null {
  if (needs.listings.some(({ select }) => select === 'uses' || select === 'parents')) return null
  const pages = [ROOT, path, ...pathsAbove(path)]
  const named = [...needs.images, ...needs.links, ...comments.map(authorPath)]
  return [
    ...[...pages, ...named].map(ofPage),
    ...[ofChildren(ROOT), ofBelow(USERS_PATH)],
    ...(needs.comments ? [ofChildren(path)] : []),
    ...needs.listings.map(({ select, rootPath }) =>
      select === 'dir' ? ofChildren(rootPath) : ofBelow(rootPath),
    ),
  ]
}

/** First what the page asks for, then who and what is named in that. */
async function lookUp(
  scene: Scene,
  asked: { needs: PageNeeds; proto: string; query: PageExtras['query'] },
  page: { readonly path: string; readonly entityId: string },
): Promise<Found> {
  const { needs, proto, query } = asked
  const [around, listings, comments, maker] = await Promise.all([
    readAround(scene),
    findListings(scene, { needs: needs.listings, proto, query }),
    needs.comments ? findComments(scene) : [],
    findMaker(scene.pages.site.db, page.entityId),
  ])
  const entries = listings.flatMap(({ items }) => items)
  const paths = [
    ...[ROOT, ...pathsAbove(page.path), ...(WITH_FILE.has(proto) ? [page.path] : [])],
    ...[...needs.images, ...needs.links, ...comments.map(authorPath)],
    ...entries.filter(entry => SHOWN_BY_FILE.has(entry.proto)).map(entry => entry.path),
  ]
  const actors = [...entries, ...comments].map(entry => entry.author)
  const [named, people] = await Promise.all([
    namedIn(scene, paths.filter(isPath)),
    peopleIn(scene, maker === null ? actors : [maker, ...actors]),
  ])
  return { around, listings, comments, maker, named, people }
}

/** The first comments below the page of the scene, oldest first. */
async function findComments({ pages, viewer, path, when }: Scene): Promise<Sorted[]> {
  const listing = { ...ALL_CHILDREN, parent: path, proto: 'comment', sort: 'created' } as const
  const part = { limit: COMMENTS_MAX, after: null, when }
  const { items } = await listPages(pages.site, viewer, listing, { ...part, withData: true })
  return items
}

function authorPath(comment: Sorted): string {
  return textAt(summaryIn(comment), 'author')
}

function shownListing(scene: Scene, found: Found, listing: FoundListing): Listing {
  const { previousUrl, nextUrl } = listing
  const entries = listing.items.map((item): ListEntry => {
    const summary = summaryIn(item)
    return {
      title: textAt(summary, 'title'),
      abstract: textAt(summary, 'abstract'),
      proto: item.proto,
      url: urlIn(scene, item.path),
      target: item.proto === 'link' ? textAt(summary, 'url') : null,
      created: item.created,
      modified: item.modified,
      author: personOf(scene, found.people, item.author),
      picture: SHOWN_BY_FILE.has(item.proto) ? pictureOf(scene, found.named.get(item.path)) : null,
    }
  })
  return { entries, previousUrl, nextUrl }
}

function shownComment(scene: Scene, found: Found, comment: Sorted): CommentView {
  const data: unknown = JSON.parse(comment.data)
  return {
    url: urlIn(scene, comment.path),
    author: commenter(scene, found, comment),
    created: comment.created,
    comment: isJsonObject(data) ? textAt(data, 'comment') : '',
  }
}

/** Who a comment says wrote it: a user's page, or whoever the writer said to be; else whose change it was. */
function commenter(scene: Scene, found: Found, comment: Sorted): Person | null {
  const page = found.named.get(authorPath(comment))
  if (page !== undefined) return { name: page.title, url: urlIn(scene, page.path) }
  const { identity } = summaryIn(comment)
  const name = isJsonObject(identity) ? textAt(identity, 'name').trim() : ''
  if (name === '') return personOf(scene, found.people, comment.author)
  return { name, url: isJsonObject(identity) ? textAt(identity, 'url') || null : null }
}

function linksIn(
  scene: Scene,
  paths: readonly string[],
  named: ReadonlyMap<string, NamedPage>,
): Record<string, Link> {
  return Object.fromEntries(
    paths.flatMap(path => {
      const page = named.get(path)
      if (page === undefined) return []
      return [[path, { title: page.title || 'Untitled', url: urlIn(scene, path) }]]
    }),
  )
}

function audioOf(scene: Scene, page: NamedPage | undefined): AudioFile | null {
  if (page === undefined || page.proto !== 'audio' || page.file === null) return null
  const url = fileUrl(scene, page)
  const { fileType, fileBytes } = page
  return { url, downloadUrl: url, mediaType: fileType ?? '', sizeBytes: fileBytes ?? 0 }
}
