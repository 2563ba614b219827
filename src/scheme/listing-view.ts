import { linkQueryOf, renderView } from './frame.ts'
import { showListing } from './listings.ts'
import type { Scheme } from './scheme.ts'
import type { ListingView } from './views.ts'

/** A listing by itself as an HTML document. */
export function renderListing(scheme: Scheme, view: ListingView): string {
  const { frame, title, lead, breadcrumb, listing, empty } = view
  const how = {
    texts: scheme.texts,
    timeZone: view.frame.site.timeZone,
    linkQuery: linkQueryOf(frame),
    empty,
  }
  return renderView(scheme, 'listing', {
    frame,
    head: { title, noindex: true },
    breadcrumb,
    context: { title, lead, list: showListing(listing, 'card', how) },
  })
}
