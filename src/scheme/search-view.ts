import { renderView } from './frame.ts'
import { Html } from './html.ts'
import { timeTag, titleLink } from './links.ts'
import { momentOf } from './moments.ts'
import { sanitizeInline } from './sanitize.ts'
import type { Scheme } from './scheme.ts'
import type { SearchHit, SearchView } from './views.ts'
import { counted } from './words.ts'

/** The form to search with, and what was found, as an HTML document. */
export function renderSearch(scheme: Scheme, view: SearchView): string {
  const { frame, action, words, hits, firstUrl, nextUrl, saidUrl } = view
  return renderView(scheme, 'search', {
    // the form is in the page itself
    frame: { ...frame, searchUrl: null },
    head: { title: words === '' ? 'Search' : `Search: ${words}`, noindex: true },
    breadcrumb: [],
    context: {
      action,
      words,
      count: countOf(view),
      hits: hits.map(hit => showHit(hit, frame.site.timeZone)),
      firstUrl,
      nextUrl,
      saidUrl,
    },
  })
}

/** How many there are, as far as one part tells. */
function countOf({ hits, firstUrl, nextUrl }: SearchView): string {
  if (firstUrl !== null) return 'More pages'
  const count = counted(hits.length, 'page')
  return nextUrl === null ? count : `More than ${count}`
}

function showHit({ title, path, url, snippet, modified }: SearchHit, zone: string): object {
  const name = title.trim() || 'Untitled'
  return {
    name,
    link: url && titleLink({ title: name, url, linkUrl: url, outside: false }),
    place: url?.split('?', 1)[0] ?? path,
    snippet: snippet.trim() === '' ? null : new Html(sanitizeInline(snippet)),
    modified: timeTag(momentOf(modified, zone), 'day'),
  }
}
