/**
 * What the caller gives to have a page rendered: plain data, looked up and permitted already.
 *
 * Every `string` is text as stored (never markup, except where a comment says HTML: that is sanitised here). URLs are
 * those a reader follows, so in an as-of view they carry its `?at=`. Instants are RFC 3339 in UTC.
 */
import type { Document } from '../content/document.ts'
import type { SiteImage } from './images.ts'

export interface Link {
  readonly title: string
  readonly url: string
}

/** `url` is null when the reader may not see the person's page. */
export interface Person {
  readonly name: string
  readonly url: string | null
}

/** What stands around the content of every view. */
export interface Frame {
  readonly site: {
    readonly name: string
    /** Language of the site's texts, as in BCP 47; the interface itself is English. */
    readonly language: string
    readonly homeUrl: string
    /** `https://host` without a slash, for canonical links; null when not configured. */
    readonly origin: string | null
    /** Whose clocks times are told by, such as `Europe/Berlin`. */
    readonly timeZone: string
    /** A line of the footer; null for none. */
    readonly copyright: string | null
  }
  readonly nav: readonly (Link & { readonly current: boolean })[]
  /** Who is logged in; `url` leads to the account page. */
  readonly user: { readonly name: string; readonly url: string } | null
  /** Null where logging in is not offered. */
  readonly loginUrl: string | null
  /** A GET form to it with `q` searches; null where that is not offered. */
  readonly searchUrl: string | null
  /** Set when the site is shown as it was. */
  readonly asOf: AsOf | null
}

/** The moment a site is shown as of. */
export interface AsOf {
  readonly at: string
  readonly position: number
  /** The instant lies ahead: this is what is scheduled. */
  readonly isAhead?: boolean
  /** The same page today. */
  readonly nowUrl: string
  /** The same page as it was before and after its change next to that time; null or missing: there is none. */
  readonly previousUrl?: string | null
  readonly nextUrl?: string | null
  /** The same page when anything of the site was another. */
  readonly sitePreviousUrl?: string | null
  readonly siteNextUrl?: string | null
  /** Where what is seen can be brought back to today; null or missing where that is not offered. */
  readonly restoreUrl?: string | null
  /** What links in texts get to stay in that time, such as `at=position%3A12`. */
  readonly linkQuery: string
}

/** A page as a listing shows it. */
export interface ListEntry {
  readonly title: string
  /** HTML or text as stored. */
  readonly abstract: string
  readonly proto: string
  readonly url: string
  /** Where a page of proto `link` leads, as stored; null for other pages. */
  readonly target: string | null
  readonly created: string
  readonly modified: string
  readonly author: Person | null
  readonly picture: Picture | null
}

/** A picture file. `width` and `height` in pixels, null when unknown. */
export type Picture = Pick<SiteImage, 'url' | 'srcset' | 'width' | 'height'>

export interface Listing {
  readonly entries: readonly ListEntry[]
  /** Null on the first and last page of it. */
  readonly previousUrl: string | null
  readonly nextUrl: string | null
}

export interface AudioFile {
  readonly url: string
  readonly downloadUrl: string
  readonly mediaType: string
  readonly sizeBytes: number
}

/** A comment below a page, oldest first. */
export interface CommentView {
  /** Of the comment as a page. */
  readonly url: string
  readonly author: Person | null
  readonly created: string
  /** HTML as stored. */
  readonly comment: string
}

/** An entity at its URL. */
export interface PageView {
  readonly frame: Frame
  readonly page: {
    readonly path: string
    readonly url: string
    readonly document: Document
    readonly created: string
    readonly modified: string
    /** Who wrote it first. */
    readonly author: Person | null
  }
  /** From the front page to the parent; [] for the front page. */
  readonly breadcrumb: readonly Link[]
  /** By the keys of `needsOf(…).feeds` and `children`; a missing one shows nothing. */
  readonly listings: Readonly<Record<string, Listing>>
  /** By dotted path, for `needsOf(…).images`; null or missing: not there or not for this reader. */
  readonly images: Readonly<Record<string, SiteImage | null>>
  /** By dotted path, for `needsOf(…).links`: titles and URLs of pages that tags and authors name. */
  readonly links: Readonly<Record<string, Link>>
  readonly comments: readonly CommentView[]
  /** Of a photo or vectorgraphic; on other pages the picture for previews. */
  readonly picture: Picture | null
  readonly audio: AudioFile | null
  /** URL before a plain tag's encoded name, such as `/search?tag=`; null where tags lead nowhere. */
  readonly tagUrlPrefix: string | null
  /** Null when the reader may not see it. */
  readonly historyUrl: string | null
  readonly editUrl: string | null
  /** Other forms of the same page (`application/json`, `application/atom+xml`). */
  readonly alternates: readonly (Link & { readonly mediaType: string })[]
  /** Set when this is not (only) the live page. */
  readonly revision: RevisionNotice | null
}

/** Says which revision of the page is shown instead of the live one. */
export interface RevisionNotice {
  readonly revision: number
  readonly at: string
  readonly author: Person | null
  readonly state: RevisionState
  readonly note: string | null
  readonly historyUrl: string | null
  /** Compares it with the one before; null for the first. */
  readonly diffUrl: string | null
  /** Null when nothing is live. */
  readonly liveUrl: string | null
  readonly previousUrl: string | null
  readonly nextUrl: string | null
  /** Where it can be brought back; null where that is not offered. */
  readonly restoreUrl: string | null
}

/** `past`: was live once or was saved over; `event`: no content (a move, a deletion, a right). */
export type RevisionState = 'live' | 'draft' | 'past' | 'event' | 'erased'

/** One event of an entity's stream. */
export interface RevisionEntry {
  readonly revision: number
  /** Type of the event (`PageRevised`, …); it decides the words. */
  readonly type: string
  readonly at: string
  readonly author: Person | null
  /** `ui`, `api`, `cli`, `import`, `worker`. */
  readonly door: string
  readonly note: string | null
  readonly state: RevisionState
  /** Null when there is no content to show. */
  readonly url: string | null
  /** Against the content before it; null for the first. */
  readonly diffUrl: string | null
  /** Where it can be brought back; null where that is not offered. */
  readonly restoreUrl: string | null
  /** More about it, as text: `from wh.a to wh.b`, `brought back revision 3`; null for nothing. */
  readonly detail: string | null
  /** Characters that it wrote and took away; null when that is not told. */
  readonly size: { readonly added: number; readonly removed: number } | null
}

/** Head of the pages about a page. `deleted`: nothing is live at `url`. */
export interface Subject {
  readonly title: string
  readonly path: string
  readonly url: string
  readonly deleted: boolean
}

export interface LoginView {
  readonly frame: Frame
  /** Where the form is posted: fields `user`, `password`, `next` and `_csrf`. */
  readonly action: string
  readonly csrf: string
  readonly next: string
  /** What went wrong the last time, for people; null at first. */
  readonly error: string | null
  /** The name typed the last time. */
  readonly user: string
}

/** Who one is, after logging in, and the way out. */
export interface AccountView {
  readonly frame: Frame
  readonly name: string
  readonly login: string
  /** The person's own page; null without. */
  readonly pageUrl: string | null
  readonly roles: readonly string[]
  /** Where the form with the field `_csrf` is posted. */
  readonly logoutAction: string
  readonly csrf: string
}

/** A listing by itself: what was searched, what has a tag, what is recent. */
export interface ListingView {
  readonly frame: Frame
  readonly title: string
  /** A sentence below the title; null for none. */
  readonly lead: string | null
  readonly breadcrumb: readonly Link[]
  readonly listing: Listing
  /** Said when there are no entries. */
  readonly empty: string
}

/** What was searched for, and a part of what was found. */
export interface SearchView {
  readonly frame: Frame
  /** A GET form to it with `q`. */
  readonly action: string
  /** '' when nothing is searched for yet. */
  readonly words: string
  /** Best first. */
  readonly hits: readonly SearchHit[]
  /** Null when this is the first part. */
  readonly firstUrl: string | null
  readonly nextUrl: string | null
  /** Where one sees when the words were said; null for those who may not see the past of the front page, and without words. */
  readonly saidUrl: string | null
}

export interface SearchHit {
  readonly title: string
  readonly path: string
  /** Null for a page that has no address. */
  readonly url: string | null
  /** HTML: words around what was found, which is in `<mark>`. */
  readonly snippet: string
  readonly modified: string
}

/** A request that cannot be answered. Nothing of the inside is shown: not `detail` of a bug, no stack. */
export interface ErrorView {
  readonly frame: Frame
  readonly status: 400 | 403 | 404 | 405 | 410 | 429 | 500 | 503 | (number & {})
  /** A sentence for the reader about this very case; null: the usual one. */
  readonly detail: string | null
  /** Of a deleted page: when; else null. */
  readonly deletedAt: string | null
  /** Whether it is about the front page, to which no other leads. */
  readonly isFront: boolean
  /** The page as it is now, where the time that was asked for is none. */
  readonly nowUrl: string | null
  /** Whether it is only the past that the reader may not see. */
  readonly isOfPast: boolean
  /** The nearest page above that the reader may see. */
  readonly parent: Link | null
  /** Only for who may see the history of a deleted page, and for who may bring it back. */
  readonly historyUrl: string | null
  readonly undeleteUrl: string | null
  readonly retryAfterSeconds: number | null
  readonly requestId: string | null
}
