import { excerpt, excerptOfPieces } from './excerpt.ts'
import { linkQueryOf, renderView } from './frame.ts'
import { Html } from './html.ts'
import { figure } from './images.ts'
import { isJsonObject, textAt } from './json.ts'
import { personLink, timeTag } from './links.ts'
import { type ShownListing, showListing } from './listings.ts'
import { momentOf } from './moments.ts'
import { blockOf, CHILDREN, needsOf, type PageNeeds, type PageSubject } from './needs.ts'
import { headOfPage } from './page-head.ts'
import { contextOfProto } from './protos.ts'
import type { Piece } from './refine.ts'
import { noticeContext } from './revisions.ts'
import type { Scheme } from './scheme.ts'
import { safeLink, withQuery } from './site-urls.ts'
import { showTags } from './tags.ts'
import type { PageView, Person } from './views.ts'
import { counted } from './words.ts'

/** Longest beginning of the text compared with the abstract, in characters. */
const LEAD_MAX = 600
/** Protos that say above the text who wrote it and when. */
const WITH_BYLINE = new Set(['blog', 'blogsidebar', 'comment'])

/** An entity at its URL as an HTML document, whatever its proto. */
export function renderPage(scheme: Scheme, view: PageView): string {
  const { page, frame } = view
  const linkQuery = linkQueryOf(frame)
  const zone = frame.site.timeZone
  const [created, modified] = [momentOf(page.created, zone), momentOf(page.modified, zone)]
  const subject = { path: page.path, url: page.url, document: page.document, linkQuery }
  const needs = needsOf(scheme, subject)
  const { proto, hidden, tags } = page.document
  const body = blockOf(scheme, subject, 'posting')
  const sidebar = partsOf(scheme, view, needs, blockOf(scheme, subject, 'sidebar'))
  const title = titleOf(subject)
  const lead = leadOf(scheme, subject, body)
  const byline = WITH_BYLINE.has(proto)
  const author = authorOf(view)
  return renderView(scheme, 'page', {
    frame,
    head: headOfPage(view, title, descriptionOf(scheme, subject, body)),
    breadcrumb: view.breadcrumb,
    context: {
      notice: view.revision && noticeContext(view.revision, zone),
      page: {
        title,
        lead: lead && new Html(lead),
        kind: /^[a-z]{1,20}$/.test(proto) ? `proto-${proto}` : 'proto-other',
        hidden,
        byline,
        author: author && personLink(author),
        created: timeTag(created, 'day'),
        modified: timeTag(modified, 'day'),
        changed: modified.date !== created.date,
      },
      body: partsOf(scheme, view, needs, body),
      sidebar: sidebar.length > 0 ? sidebar : null,
      children: childrenOf(scheme, view, needs),
      tags: showTags(tags, view.links, view.tagUrlPrefix),
      comments: needs.comments ? commentsOf(scheme, view) : null,
      historyUrl: view.historyUrl,
      timeUrl:
        view.historyUrl === null || view.frame.asOf !== null || view.revision !== null
          ? null
          : withQuery(view.page.url, 'at=today'),
      editUrl: view.editUrl,
      ...contextOfProto(scheme, view, title),
    },
  })
}

/** Parts of a text with its images and listings filled in; neighbouring markup is one part. */
function partsOf(
  scheme: Scheme,
  view: PageView,
  needs: PageNeeds,
  pieces: readonly Piece[],
): { html?: Html; feed?: ShownListing }[] {
  const parts: { html?: Html; feed?: ShownListing }[] = []
  let markup = ''
  for (const piece of pieces) {
    if (piece.type === 'html') markup += piece.markup
    else if (piece.type === 'image') {
      const { path } = piece.image
      markup += figure(piece.image, (Object.hasOwn(view.images, path) && view.images[path]) || null)
    } else {
      if (markup !== '') parts.push({ html: new Html(markup) })
      markup = ''
      const feed = listingOf(scheme, view, needs, piece.key)
      if (feed) parts.push({ feed })
    }
  }
  if (markup.trim() !== '') parts.push({ html: new Html(markup) })
  return parts
}

function listingOf(
  scheme: Scheme,
  view: PageView,
  needs: PageNeeds,
  key: string,
): ShownListing | null {
  const need = needs.listings.find(listing => listing.key === key)
  const listing = Object.hasOwn(view.listings, key) ? view.listings[key] : undefined
  if (!need || !listing) return null
  const linkQuery = linkQueryOf(view.frame)
  const { timeZone } = view.frame.site
  return showListing(listing, need.layout, {
    texts: scheme.texts,
    linkQuery,
    timeZone,
    empty: null,
  })
}

function childrenOf(
  scheme: Scheme,
  view: PageView,
  needs: PageNeeds,
): (ShownListing & { heading: string; quiet: boolean }) | null {
  const listing = listingOf(scheme, view, needs, CHILDREN)
  const { proto } = view.page.document
  const isIndex = proto === 'blogindex' || proto === 'imageindex'
  if (!listing || (listing.entries.length === 0 && !isIndex)) return null
  if (proto === 'blogindex') {
    return { ...listing, heading: 'Posts', quiet: true, empty: 'Nothing has been posted yet.' }
  }
  if (proto === 'imageindex') {
    return { ...listing, heading: 'Pictures', quiet: true, empty: 'There are no pictures yet.' }
  }
  const tagged = proto === 'predicate' || proto === 'ontag'
  return { ...listing, heading: tagged ? 'Pages with this tag' : 'Further pages', quiet: false }
}

function commentsOf(scheme: Scheme, { comments, frame }: PageView): object {
  const linkQuery = linkQueryOf(frame)
  return {
    heading: comments.length === 0 ? 'No comments yet' : counted(comments.length, 'comment'),
    entries: comments.map(comment => ({
      url: comment.url,
      author: personLink(comment.author && withSafeUrl(comment.author)),
      created: timeTag(momentOf(comment.created, frame.site.timeZone), 'full'),
      html: new Html(scheme.texts.comment(comment.comment, linkQuery)),
    })),
  }
}

/** A comment names its author itself: a user of the site, or whoever the writer said to be. */
function authorOf(view: PageView): Person | null {
  const { proto, summary } = view.page.document
  if (proto !== 'comment') return view.page.author
  const path = textAt(summary, 'author')
  const link = Object.hasOwn(view.links, path) ? view.links[path] : undefined
  if (link) return { name: link.title, url: link.url }
  const identity = summary['identity']
  const name = isJsonObject(identity) ? textAt(identity, 'name') : ''
  return name === '' ? view.page.author : { name, url: null }
}

/** Who comments may bring an address of their own. */
function withSafeUrl(person: Person): Person {
  return { name: person.name, url: person.url === null ? null : safeLink(person.url) }
}

function titleOf(subject: PageSubject): string {
  return textAt(subject.document.summary, 'title').trim() || 'Untitled'
}

/** The abstract as markup; null when the text below begins with the same words, or it only repeats the title. */
function leadOf(scheme: Scheme, subject: PageSubject, body: readonly Piece[]): string | null {
  const { proto, summary } = subject.document
  const markup = scheme.texts.short(textAt(summary, 'abstract').trim(), subject.linkQuery)
  if (markup === '' || proto === 'comment') return null
  const words = excerpt(markup, LEAD_MAX).replace(/…$/, '')
  if (words.toLowerCase() === titleOf(subject).toLowerCase()) return null
  return excerptOfPieces(body, LEAD_MAX * 2).startsWith(words) ? null : markup
}

function descriptionOf(scheme: Scheme, subject: PageSubject, body: readonly Piece[]): string {
  const { summary, data } = subject.document
  const abstract = scheme.texts.short(textAt(summary, 'abstract').trim(), subject.linkQuery)
  const comment = textAt(data, 'comment')
  const own = abstract || (comment === '' ? '' : scheme.texts.comment(comment, subject.linkQuery))
  return own === '' ? excerptOfPieces(body, 160) : excerpt(own, 160)
}
