import type { BlameField, BlameLine } from '../codec/blame-fields.ts'
import { DERIVED, labelOf } from './diff-fields.ts'
import { renderView } from './frame.ts'
import { escapeHtml, Html } from './html.ts'
import { momentOf } from './moments.ts'
import type { Scheme } from './scheme.ts'
import type { BlameView } from './views-of-past.ts'

/** Lines shown of all fields together. */
const LINES_MAX = 5_000

/** Who wrote each field and line of a page as an HTML document; words of others within a line lead to their revision. */
export function renderBlame(scheme: Scheme, view: BlameView): string {
  const { subject, frame, breadcrumb } = view
  const budget = { lines: LINES_MAX }
  const shown = view.fields.filter(field => !DERIVED.test(field.pointer) && !isEmpty(field))
  const blocksIn = (field: BlameField) => blocksOf(field, view, budget)
  return renderView(scheme, 'blame', {
    frame,
    head: { title: `Who wrote ${subject.title}`, noindex: true },
    breadcrumb,
    past: { script: null },
    context: {
      subject,
      historyUrl: view.historyUrl,
      texts: shown
        .filter(isText)
        .map(field => ({ label: labelOf(field.pointer), blocks: blocksIn(field) })),
      others: shown
        .filter(field => !isText(field))
        .flatMap(field =>
          blocksIn(field).map(block => ({ ...block, label: labelOf(field.pointer) })),
        ),
    },
  })
}

function isEmpty(field: BlameField): boolean {
  return 'lines' in field
    ? field.lines.every(({ parts }) => parts.length === 0)
    : field.value === false
}

/** Whether it has more than what one looks up at a glance. */
function isText(field: BlameField): boolean {
  return 'lines' in field && field.lines.filter(({ parts }) => parts.length > 0).length > 1
}

/** Lines next to one another that the same revision changed last. */
interface Block {
  readonly who: Html
  readonly lines: Html
}

function blocksOf(field: BlameField, view: BlameView, budget: { lines: number }): Block[] {
  const blocks: { revision: number; markup: string }[] = []
  let isGap = false
  for (const line of linesIn(field)) {
    if (budget.lines-- <= 0) break
    // an empty line belongs to nobody: it only keeps paragraphs apart
    if (line.parts.length === 0) isGap = true
    else {
      const last = blocks.at(-1)
      const words = wordsOf(line, view)
      const isPart = last?.revision === line.revision
      const markup = `<p${isPart && isGap ? ' class="apart"' : ''} dir="auto">${words}</p>\n`
      if (isPart) last.markup += markup
      else blocks.push({ revision: line.revision, markup })
      isGap = false
    }
  }
  return blocks.map(({ revision, markup }) => ({
    who: whoOf(view, revision),
    lines: new Html(markup),
  }))
}

function linesIn(field: BlameField): readonly BlameLine[] {
  if ('lines' in field) return field.lines
  const { revision, value } = field
  return [{ revision, parts: [{ text: String(value), revision }] }]
}

function wordsOf(line: BlameLine, { revisions, frame }: BlameView): string {
  return line.parts
    .map(({ text, revision }) => {
      const entry = revisions.get(revision)
      if (revision === line.revision || entry === undefined || text.trim() === '') {
        return escapeHtml(text)
      }
      const { day } = momentOf(entry.at, frame.site.timeZone)
      const told = `Revision ${revision}: ${entry.author?.name ?? 'Someone'}, ${day}`
      return `<span class="by" title="${escapeHtml(told)}">${escapeHtml(text)}</span>`
    })
    .join('')
}

function whoOf({ revisions, frame }: BlameView, revision: number): Html {
  const entry = revisions.get(revision)
  if (entry === undefined) return new Html(`Revision ${revision}`)
  const { author, at, url, diffUrl, note } = entry
  const name = `<span dir="auto">${escapeHtml(author?.name ?? 'Someone')}</span>`
  const target = diffUrl ?? url
  const label = `Revision ${revision}`
  const title = note === null ? '' : ` title="${escapeHtml(note)}"`
  const link = target === null ? label : `<a href="${escapeHtml(target)}"${title}>${label}</a>`
  const { day } = momentOf(at, frame.site.timeZone)
  return new Html(
    `${link} · ${name}<br><time datetime="${escapeHtml(at)}">${escapeHtml(day)}</time>`,
  )
}
