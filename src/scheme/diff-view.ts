import { renderView } from './frame.ts'
import { escapeHtml, Html } from './html.ts'
import type { ReadableField, ReadableLine, ReadableSpan } from './readable-field.ts'
import { showRevision } from './revisions.ts'
import type { Scheme } from './scheme.ts'
import type { DiffView } from './views.ts'

/** Lines shown of one field. */
const LINES_MAX = 5_000
const SIGNS = { added: '+', removed: '−', changed: '±', same: '' } as const
const SPOKEN = { added: 'Added', removed: 'Removed', changed: 'Changed', same: '' } as const
const STATES = { added: 'new', removed: 'removed', changed: null } as const

/** What changed between two revisions as an HTML document: each field, its lines, words in `<ins>` and `<del>`. */
export function renderDiff(scheme: Scheme, view: DiffView): string {
  const { subject, frame, breadcrumb, from, to } = view
  return renderView(scheme, 'diff', {
    frame,
    head: { title: `Changes of ${subject.title}`, noindex: true },
    breadcrumb,
    context: {
      subject,
      sides: [
        { ...showRevision(from), label: 'Before' },
        { ...showRevision(to), label: 'After' },
      ],
      fields: view.fields.map(showField),
      historyUrl: view.historyUrl,
      previousUrl: view.previousUrl,
      nextUrl: view.nextUrl,
    },
  })
}

function showField(field: ReadableField): object {
  const lines = field.lines.slice(0, LINES_MAX).map(showLine).join('')
  const left = field.lines.length - LINES_MAX
  const rest = left > 0 ? gap(left) : ''
  return { label: field.label, state: STATES[field.type], lines: new Html(lines + rest) }
}

function showLine(line: ReadableLine): string {
  if (line.type === 'gap') return gap(line.count)
  const number = line.to ?? line.from ?? ''
  const spoken =
    SPOKEN[line.type] === '' ? '' : `<span class="unseen">${SPOKEN[line.type]}: </span>`
  const words = line.spans.map(showSpan).join('')
  return `<p class="${line.type}"><span class="at">${number}</span><span class="sign" aria-hidden="true">${SIGNS[line.type]}</span><span class="words" dir="auto">${spoken}${words}</span></p>\n`
}

function showSpan(span: ReadableSpan): string {
  const text = escapeHtml(span.text)
  if (span.type === 'same') return text
  return span.type === 'added' ? `<ins>${text}</ins>` : `<del>${text}</del>`
}

function gap(count: number): string {
  return `<p class="gap">${count} ${count === 1 ? 'line' : 'lines'} not shown</p>\n`
}
