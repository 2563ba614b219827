import { escapeHtml, Html } from './html.ts'
import { momentOf } from './moments.ts'
import type { Scheme } from './scheme.ts'
import { withQuery } from './site-urls.ts'
import type { Frame, Link } from './views.ts'

/** What stands in a view's `<head>`. */
export interface Head {
  readonly title: string
  readonly description?: string
  /** Absolute URL. */
  readonly canonical?: string | null
  readonly noindex?: boolean
  readonly alternates?: readonly (Link & { readonly mediaType: string })[]
  /** OpenGraph and the like. */
  readonly properties?: readonly { readonly name: string; readonly value: string }[]
}

/** New pages of the site. */
const FEED_URL = '/feed.atom'
/** What changed on the site. */
export const CHANGES_URL = '/$changes/'
/** When words were said. */
export const SAID_URL = '/$said/'

/** The markup of a view: template `name` with what every view has and its own `context`. */
export function renderView(
  scheme: Scheme,
  name: string,
  view: {
    readonly frame: Frame
    readonly head: Head
    readonly breadcrumb: readonly Link[]
    /** Whether it is a view of the past, with their looks, and the file of `src/admin` that makes it easier to use. */
    readonly past?: { readonly script: string | null }
    readonly context: object
  },
): string {
  const { frame, head, breadcrumb } = view
  const asset = (file: string) => scheme.assets.get(file)?.url ?? ''
  return scheme.engine.render(name, {
    ...view.context,
    head: {
      title: head.title === frame.site.name ? head.title : `${head.title} · ${frame.site.name}`,
      tags: headTags({ noindex: frame.asOf !== null, ...head }),
    },
    breadcrumb,
    site: frame.site,
    nav: frame.nav,
    user: frame.user,
    loginUrl: frame.loginUrl,
    searchUrl: frame.searchUrl,
    feedUrl: withQuery(FEED_URL, linkQueryOf(frame)),
    asOf: frame.asOf && {
      at: momentOf(frame.asOf.at, frame.site.timeZone),
      link: new URLSearchParams(frame.asOf.linkQuery).get('at'),
      nowUrl: frame.asOf.nowUrl,
      position: frame.asOf.position,
      zone: frame.site.timeZone,
      sinceUrl: frame.asOf.isAhead ? null : `${CHANGES_URL}?from=position%3A${frame.asOf.position}`,
      isAhead: frame.asOf.isAhead === true,
      begun: frame.asOf.at !== '-infinity',
      previousUrl: frame.asOf.previousUrl ?? null,
      nextUrl: frame.asOf.nextUrl ?? null,
      sitePreviousUrl: frame.asOf.sitePreviousUrl ?? null,
      siteNextUrl: frame.asOf.siteNextUrl ?? null,
      restoreUrl: frame.asOf.restoreUrl ?? null,
    },
    assets: {
      ...{ style: asset('style.css'), logo: asset('logo.svg'), favicon: asset('favicon.svg') },
      past: view.past !== undefined || frame.asOf !== null ? asset('past.css') : null,
    },
    scripts: scriptsOf(view.past?.script ?? null, frame).map(asset),
  })
}

function scriptsOf(own: string | null, { asOf }: Frame): string[] {
  return [own, asOf && 'time-bar.js'].filter(file => file !== null)
}

/** What links in texts of this view get; empty for the present. */
export function linkQueryOf(frame: Frame): string {
  return frame.asOf?.linkQuery ?? ''
}

/** What is in `<head>` beside the title and the scheme's own files. */
function headTags(head: Head): Html {
  const meta = (kind: 'name' | 'property', name: string, value: string) =>
    `<meta ${kind}="${escapeHtml(name)}" content="${escapeHtml(value)}">\n`
  let markup = ''
  if (head.description) markup += meta('name', 'description', head.description)
  if (head.noindex) markup += meta('name', 'robots', 'noindex')
  if (head.canonical) markup += `<link rel="canonical" href="${escapeHtml(head.canonical)}">\n`
  for (const { url, title, mediaType } of head.alternates ?? []) {
    const type = `type="${escapeHtml(mediaType)}" title="${escapeHtml(title)}"`
    markup += `<link rel="alternate" ${type} href="${escapeHtml(url)}">\n`
  }
  for (const { name, value } of head.properties ?? []) markup += meta('property', name, value)
  return new Html(markup)
}
