import type { Document } from '../content/document.ts'
import { fileLinksOf } from '../content/file-links.ts'
import { feedsOfBlock } from './blocks.ts'
import type { FeedLayout, FeedNeed } from './feeds.ts'
import { isJsonObject, textAt } from './json.ts'
import { type Piece, POSTING_IDS, type TextPlace } from './refine.ts'
import type { Scheme } from './scheme.ts'
import { isPath } from './site-urls.ts'

/** A page to be shown: what its texts depend on. */
export interface PageSubject {
  readonly path: string
  /** Site-relative, as links to it say. */
  readonly url: string
  readonly document: Document
  /** As `AsOf.linkQuery`; empty for the present. */
  readonly linkQuery: string
}

/** What the caller looks up before a page can be rendered. */
export interface PageNeeds {
  /** Children (`children`) and the listings in its texts; each once, by `key`. */
  readonly listings: readonly FeedNeed[]
  /** Dotted paths of the pages whose pictures stand in its texts. */
  readonly images: readonly string[]
  /** Dotted paths of pages that tags and a comment's author name; some may not exist. */
  readonly links: readonly string[]
  /** Whether comments stand below it: direct children of proto `comment`, oldest first. */
  readonly comments: boolean
}

/** The key of a page's own children among its listings. */
export const CHILDREN = 'children'
/** The text blocks a document may have, in the order they are shown. */
export const TEXT_BLOCKS = ['posting', 'sidebar'] as const

const CHILDREN_PER_PAGE = 15
const LIST_MAX = 100
const LINKS_MAX = 200
/** Protos that never show what is below them (comments are another matter). */
const WITHOUT_CHILDREN = new Set(['blog', 'blogsidebar', 'comment', 'user', 'emailform'])
const WITH_COMMENTS = new Set(['blog', 'blogsidebar'])

/** What is needed to render the page, found in its document. */
export function needsOf(scheme: Scheme, subject: PageSubject): PageNeeds {
  const { document, path } = subject
  const feeds = TEXT_BLOCKS.flatMap(name => feedsOfBlock(document.data[name], name, path))
  const children = childrenNeed(document, path, feeds)
  const pieces = TEXT_BLOCKS.flatMap(name => blockOf(scheme, subject, name))
  return {
    listings: children ? [...feeds, children] : feeds,
    images: [...new Set(pieces.flatMap(imagePath))],
    links: [...new Set(linkPaths(document))].slice(0, LINKS_MAX),
    comments: WITH_COMMENTS.has(document.proto),
  }
}

/** A text block of the page, rendered; `[]` when it has none. */
export function blockOf(scheme: Scheme, subject: PageSubject, name: string): readonly Piece[] {
  const { data, summary } = subject.document
  const place: TextPlace = {
    pageUrl: subject.url,
    title: name === 'posting' ? textAt(summary, 'title') : '',
    linkQuery: subject.linkQuery,
    idPrefix: name === 'posting' ? POSTING_IDS : 'c2-',
    fileLinks: fileLinksOf(subject.document),
  }
  return scheme.texts.block(data[name], name, place)
}

/** How the page shows what is below it; null: not at all, or a listing in its text does. */
function childrenNeed(
  document: Document,
  path: string,
  feeds: readonly FeedNeed[],
): FeedNeed | null {
  const need = (layout: FeedLayout, more: Partial<FeedNeed>): FeedNeed => ({
    ...{ key: CHILDREN, rootPath: path, select: 'dir', proto: null, sort: 'path', layout },
    ...{ paginate: true, perPage: CHILDREN_PER_PAGE, navbar: false },
    ...{ monthFacet: false, tagFacet: false },
    ...more,
  })
  switch (document.proto) {
    case 'blogindex':
      return need('post', { sort: 'created' })
    case 'imageindex':
      return need('grid', {})
    case 'predicate':
    case 'ontag':
      return need('list', { select: 'uses', perPage: LIST_MAX })
    default: {
      const excluded = document.data['excludeChildrenDisplay']
      const hidden = excluded === true || excluded === 'true'
      const shown = feeds.some(feed => feed.rootPath === path && feed.select !== 'parents')
      const none = hidden || shown || WITHOUT_CHILDREN.has(document.proto)
      return none ? null : need('list', { perPage: LIST_MAX })
    }
  }
}

function imagePath(piece: Piece): string[] {
  return piece.type === 'image' ? [piece.image.path] : []
}

function linkPaths(document: Document): string[] {
  const paths: string[] = []
  const author = textAt(document.summary, 'author')
  if (author.includes('.')) paths.push(author)
  for (const [predicate, objects] of Object.entries(document.tags)) {
    if (predicate.includes('.')) paths.push(predicate)
    for (const object of Array.isArray(objects) ? objects : []) {
      if (isJsonObject(object) && object['objClass'] === 'ontag') paths.push(textAt(object, '@id'))
    }
  }
  return paths.filter(isPath)
}
