import { renderView } from './frame.ts'
import { counted } from './moments.ts'
import { type ShownRevision, showRevision } from './revisions.ts'
import type { Scheme } from './scheme.ts'
import type { HistoryView } from './views.ts'

type Choice = ShownRevision & { readonly isFrom: boolean; readonly isTo: boolean }

/** The list of an entity's revisions as an HTML document, newest first, by day. */
export function renderHistory(scheme: Scheme, view: HistoryView): string {
  const { subject, frame, breadcrumb } = view
  const readable = view.entries.filter(entry => entry.url !== null)
  const entries = view.entries.map(entry => ({
    ...showRevision(entry),
    isTo: entry === readable[0],
    isFrom: entry === readable[1],
  }))
  return renderView(scheme, 'history', {
    frame,
    head: { title: `History of ${subject.title}`, noindex: true },
    breadcrumb,
    context: {
      subject,
      count: counted(view.total, 'revision'),
      days: byDay(entries),
      newerUrl: view.newerUrl,
      olderUrl: view.olderUrl,
      compareUrl: readable.length > 1 ? view.compareUrl : null,
      compareFields: view.compareFields,
    },
  })
}

function byDay(entries: readonly Choice[]): { title: string; entries: Choice[] }[] {
  const days: { title: string; entries: Choice[] }[] = []
  for (const entry of entries) {
    const day = days.at(-1)
    if (day?.title === entry.at.day) day.entries.push(entry)
    else days.push({ title: entry.at.day, entries: [entry] })
  }
  return days
}
