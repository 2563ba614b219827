import type { BlameField, BlameLine } from '../codec/blame-fields.ts'
import { DERIVED, labelOf } from './diff-fields.ts'
import { renderView } from './frame.ts'
import { escapeHtml, Html } from './html.ts'
import { momentOf } from './moments.ts'
import type { Scheme } from './scheme.ts'
import type { RevisionEntry } from './views.ts'
import type { BlameView } from './views-of-past.ts'

/** Lines shown of all fields together. */
const LINES_MAX = 5_000

/** Who wrote each field and line of a page as an HTML document; words of others within a line lead to their revision. */
export function renderBlame(scheme: Scheme, view: BlameView): string {
  const { subject, frame, breadcrumb } = view
  const budget = { lines: LINES_MAX }
  return renderView(scheme, 'blame', {
    frame,
    head: { title: `Who wrote ${subject.title}`, noindex: true },
    breadcrumb,
    past: { script: null },
    context: {
      subject,
      historyUrl: view.historyUrl,
      fields: view.fields
        .filter(field => !DERIVED.test(field.pointer) && !isEmpty(field))
        .map(field => ({ label: labelOf(field.pointer), blocks: blocksOf(field, view, budget) })),
    },
  })
}

function isEmpty(field: BlameField): boolean {
  return 'lines' in field
    ? field.lines.every(({ parts }) => parts.length === 0)
    : field.value === false
}

/** Lines next to one another that the same revision changed last. */
interface Block {
  readonly who: Html
  readonly lines: Html
}

function blocksOf(field: BlameField, view: BlameView, budget: { lines: number }): Block[] {
  const lines: readonly BlameLine[] =
    'lines' in field
      ? field.lines
      : [
          {
            revision: field.revision,
            parts: [{ text: String(field.value), revision: field.revision }],
          },
        ]
  const blocks: { revision: number; markup: string }[] = []
  for (const line of lines) {
    if (budget.lines-- <= 0) break
    const last = blocks.at(-1)
    // an empty line tells nothing by itself
    const isPart =
      last !== undefined && (last.revision === line.revision || line.parts.length === 0)
    const markup = `<p dir="auto">${wordsOf(line, view)}</p>\n`
    if (isPart) last.markup += markup
    else blocks.push({ revision: line.revision, markup })
  }
  return blocks.map(({ revision, markup }) => ({
    who: whoOf(view.revisions.get(revision), revision),
    lines: new Html(markup),
  }))
}

function wordsOf(line: BlameLine, { revisions }: BlameView): string {
  if (line.parts.length === 0) return '<br>'
  return line.parts
    .map(({ text, revision }) => {
      const entry = revisions.get(revision)
      if (revision === line.revision || entry === undefined || text.trim() === '') {
        return escapeHtml(text)
      }
      const told = `${entry.author?.name ?? 'Someone'}, ${momentOf(entry.at).day}`
      return `<span class="by" title="${escapeHtml(`Revision ${revision}: ${told}`)}">${escapeHtml(text)}</span>`
    })
    .join('')
}

function whoOf(entry: RevisionEntry | undefined, revision: number): Html {
  if (entry === undefined) return new Html(`Revision ${revision}`)
  const { author, at, url, diffUrl, note } = entry
  const name = `<span dir="auto">${escapeHtml(author?.name ?? 'Someone')}</span>`
  const target = diffUrl ?? url
  const label = `Revision ${revision}`
  const title = note === null ? '' : ` title="${escapeHtml(note)}"`
  const link = target === null ? label : `<a href="${escapeHtml(target)}"${title}>${label}</a>`
  return new Html(`${link} ${name} <time datetime="${escapeHtml(at)}">${momentOf(at).day}</time>`)
}
