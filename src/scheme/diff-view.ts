import { showFields } from './diff-fields.ts'
import { renderView } from './frame.ts'
import { sizeInWords } from './protos.ts'
import { showRevision } from './revisions.ts'
import type { Scheme } from './scheme.ts'
import type { ChangedFile, DiffView, FileThen } from './views-of-past.ts'

/** What changed between two revisions as an HTML document: each field, its lines, words in `<ins>` and `<del>`. */
export function renderDiff(scheme: Scheme, view: DiffView): string {
  const { subject, frame, breadcrumb } = view
  return renderView(scheme, 'changes', {
    frame,
    head: { title: `Changes of ${subject.title}`, noindex: true },
    breadcrumb,
    past: { script: 'compare.js' },
    context: {
      subject,
      sides: [
        { ...showRevision(view.from), label: 'Before' },
        { ...showRevision(view.to), label: 'After' },
      ],
      fields: showFields(view.changes),
      files: view.files.map(showFile),
      restorePath: view.restorePath,
      historyUrl: view.historyUrl,
      previousUrl: view.previousUrl,
      nextUrl: view.nextUrl,
    },
  })
}

function showFile({ name, before, after }: ChangedFile) {
  return {
    name,
    sides: [
      { label: 'Before', ...showSide(before) },
      { label: 'After', ...showSide(after) },
    ],
  }
}

/** A picture is shown, another file named; what is not there says so. */
function showSide(file: FileThen | null) {
  if (file === null) return { url: null, isPicture: false, size: '' }
  const { url, mediaType, sizeBytes } = file
  return {
    url,
    isPicture: mediaType.startsWith('image/'),
    size: `${mediaType}, ${sizeInWords(sizeBytes)}`,
  }
}
