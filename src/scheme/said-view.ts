import { renderView } from './frame.ts'
import { escapeHtml, Html } from './html.ts'
import { personLink, timeTag } from './links.ts'
import { momentOf } from './moments.ts'
import type { Scheme } from './scheme.ts'
import type { SaidPage, SaidStretch, SaidTime, SaidView } from './views-of-past.ts'

/** The form to ask with, and the pages that say or said it with the times they did, as an HTML document. */
export function renderSaid(scheme: Scheme, view: SaidView): string {
  const { frame, action, words, pages, firstUrl, nextUrl } = view
  return renderView(scheme, 'said', {
    frame,
    head: {
      title: words === '' ? 'When was it said?' : `When was it said: ${words}`,
      noindex: true,
    },
    breadcrumb: [],
    past: { script: null },
    context: {
      ...{ action, words, firstUrl, nextUrl },
      pages: pages.map(page => showPage(page, frame.site.timeZone)),
    },
  })
}

function showPage({ title, path, url, sentence, times }: SaidPage, zone: string): object {
  return {
    ...{ url, path, sentence },
    name: title.trim() || 'Untitled',
    times: times.map(stretch => new Html(stretchText(stretch, zone))),
  }
}

function stretchText({ appeared, vanished, stands }: SaidStretch, zone: string): string {
  const began = appeared === null ? null : momentText(appeared, zone)
  if (stands) return began === null ? 'There from the beginning, until today' : `Since ${began}`
  const ended = vanished === null ? 'a change that you may not see' : momentText(vanished, zone)
  return began === null ? `Until ${ended}` : `From ${began} until ${ended}`
}

function momentText({ at, author, url }: SaidTime, zone: string): string {
  const time = timeTag(momentOf(at, zone), 'full')
  const link = url === null ? `${time}` : `<a href="${escapeHtml(url)}">${time}</a>`
  return `${link}, by ${personLink(author)}`
}
