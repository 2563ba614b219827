import type { FeedLayout, FeedNeed } from './feeds.ts'
import { escapeHtml, Html } from './html.ts'
import { pictureTag } from './images.ts'
import { personLink, timeTag, titleLink } from './links.ts'
import { momentOf } from './moments.ts'
import { resolveOnSite, safeLink } from './site-urls.ts'
import type { Texts } from './texts.ts'
import type { ListEntry, Listing } from './views.ts'

/** A listing as the template `entries` takes it. */
export interface ShownListing {
  readonly layout: 'card' | 'list' | 'grid' | 'post'
  readonly entries: readonly ShownEntry[]
  readonly previousUrl: string | null
  readonly nextUrl: string | null
  /** Said when there are no entries; null: nothing is. */
  readonly empty: string | null
}

interface ShownEntry {
  readonly title: string
  /** First letter of the title, for where a picture is missing. */
  readonly initial: string
  readonly abstract: Html | null
  readonly url: string
  /** The title as a link: to a link page's target, else to the page. */
  readonly link: Html
  readonly created: Html
  readonly author: Html | null
  readonly picture: Html | null
  /** The picture as a link that only the eye needs: the title beside it leads to the same place. */
  readonly thumbnail: Html | null
}

interface ShownHow {
  readonly texts: Texts
  readonly linkQuery: string
  readonly timeZone: string
}

const THUMBNAIL_SIZES = '(max-width: 40rem) 50vw, 15rem'
const SHOWN_AS: Readonly<Record<FeedLayout, ShownListing['layout']>> = {
  card: 'card',
  list: 'list',
  grid: 'grid',
  masonry: 'grid',
  justified: 'grid',
  post: 'post',
}

/** @param empty said when there are no entries; null for nothing */
export function showListing(
  listing: Listing,
  layout: FeedNeed['layout'],
  how: ShownHow & { readonly empty: string | null },
): ShownListing {
  return {
    layout: SHOWN_AS[layout],
    entries: listing.entries.map(entry => showEntry(entry, how)),
    previousUrl: listing.previousUrl,
    nextUrl: listing.nextUrl,
    empty: how.empty,
  }
}

function showEntry(entry: ListEntry, how: ShownHow): ShownEntry {
  const target = entry.target === null ? null : safeLink(entry.target)
  const abstract = how.texts.short(entry.abstract.trim(), how.linkQuery)
  const title = entry.title.trim() || 'Untitled'
  const picture = entry.picture && new Html(pictureTag(entry.picture, '', THUMBNAIL_SIZES))
  const outside = target !== null && resolveOnSite(target, '/') === null
  return {
    title,
    initial: [...title][0] ?? '',
    abstract: abstract === '' || abstract === title ? null : new Html(abstract),
    url: entry.url,
    link: titleLink({ title, url: entry.url, linkUrl: target ?? entry.url, outside }),
    created: timeTag(momentOf(entry.created, how.timeZone), 'day'),
    author: entry.author && personLink(entry.author),
    picture,
    thumbnail: picture && thumbnail(picture, entry.url),
  }
}

function thumbnail(picture: Html, url: string): Html {
  const attributes = `class="thumb" href="${escapeHtml(url)}" tabindex="-1" aria-hidden="true"`
  return new Html(`<a ${attributes}>${picture.markup}</a>`)
}
