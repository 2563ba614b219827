import { renderView } from './frame.ts'
import { type ShownRevision, showRevision } from './revisions.ts'
import type { Scheme } from './scheme.ts'
import { bySitting } from './sittings.ts'
import type { Person, RevisionEntry } from './views.ts'
import type { HistoryView } from './views-of-past.ts'
import { counted } from './words.ts'

type Choice = ShownRevision & {
  readonly isFrom: boolean
  readonly isTo: boolean
  readonly person: Person | null
  readonly written: string | null
}

/** The list of an entity's revisions as an HTML document, newest first, by day and sitting. */
export function renderHistory(scheme: Scheme, view: HistoryView): string {
  const { subject, frame, breadcrumb } = view
  const readable = view.entries.filter(entry => entry.url !== null)
  const entries = view.entries.map(
    (entry): Choice => ({
      ...showRevision(entry, frame.site.timeZone),
      person: entry.author,
      isTo: entry === readable[0],
      isFrom: entry === readable[1],
      written: sizeOf(entry),
    }),
  )
  return renderView(scheme, 'history', {
    frame,
    head: { title: `History of ${subject.title}`, noindex: true },
    breadcrumb,
    past: { script: 'history.js' },
    context: {
      subject,
      count: counted(view.total, 'revision'),
      days: bySitting(entries).map(({ title, sittings }) => ({
        title,
        sittings: sittings.map(sitting => ({
          entries: sitting.entries.map(({ entry, earlier }) => ({
            entry,
            earlier,
            folded: earlier.length === 0 ? null : counted(earlier.length, 'earlier draft'),
          })),
        })),
      })),
      newerUrl: view.newerUrl,
      olderUrl: view.olderUrl,
      compareUrl: readable.length > 1 ? view.compareUrl : null,
      compareFields: view.compareFields,
      filter: view.filter,
      blameUrl: view.blameUrl,
      undeleteUrl: view.undeleteUrl,
    },
  })
}

function sizeOf({ size }: RevisionEntry): string | null {
  if (size === null) return null
  const { added, removed } = size
  if (added === 0 && removed === 0) return null
  return [added > 0 ? `+${added}` : '', removed > 0 ? `−${removed}` : '']
    .filter(one => one !== '')
    .join(' ')
}
