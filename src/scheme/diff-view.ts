import { showFields } from './diff-fields.ts'
import { renderView } from './frame.ts'
import { showRevision } from './revisions.ts'
import type { Scheme } from './scheme.ts'
import type { DiffView } from './views.ts'

/** What changed between two revisions as an HTML document: each field, its lines, words in `<ins>` and `<del>`. */
export function renderDiff(scheme: Scheme, view: DiffView): string {
  const { subject, frame, breadcrumb } = view
  return renderView(scheme, 'changes', {
    frame,
    head: { title: `Changes of ${subject.title}`, noindex: true },
    breadcrumb,
    context: {
      subject,
      sides: [
        { ...showRevision(view.from), label: 'Before' },
        { ...showRevision(view.to), label: 'After' },
      ],
      fields: showFields(view.changes),
      historyUrl: view.historyUrl,
      previousUrl: view.previousUrl,
      nextUrl: view.nextUrl,
    },
  })
}
