import { showFields } from './diff-fields.ts'
import { renderView } from './frame.ts'
import { Html } from './html.ts'
import { figure } from './images.ts'
import { textAt } from './json.ts'
import { blockOf } from './needs.ts'
import { showRevision } from './revisions.ts'
import type { Scheme } from './scheme.ts'
import { withQuery } from './site-urls.ts'
import type { ChangedFile, DiffView, FileThen } from './views-of-past.ts'
import { sizeInWords } from './words.ts'

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
        { ...showRevision(view.from, frame.site.timeZone), label: 'Before' },
        { ...showRevision(view.to, frame.site.timeZone), label: 'After' },
      ],
      fields: view.rendered === null ? fieldsOf(view) : [],
      files: view.files.map(showFile),
      rendered: renderedSides(scheme, view),
      otherUrl: view.otherUrl,
      restoreUrl: view.restoreUrl,
      historyUrl: view.historyUrl,
      previousUrl: view.previousUrl,
      nextUrl: view.nextUrl,
    },
  })
}

function fieldsOf({ changes, restoreUrl }: DiffView) {
  return showFields(changes).map(({ field, ...shown }) => {
    const one = restoreUrl !== null && field !== null
    return { ...shown, restoreUrl: one ? withQuery(restoreUrl, fieldQuery(field)) : null }
  })
}

function fieldQuery(field: string): string {
  return new URLSearchParams({ field }).toString()
}

/** Both texts as readers see them, but for listings of other pages. */
function renderedSides(scheme: Scheme, { rendered, subject: { path, url } }: DiffView) {
  if (rendered === null) return null
  return [rendered.from, rendered.to].map(({ document, images }, index) => {
    const pieces = blockOf(scheme, { path, url, document, linkQuery: '' }, 'posting')
    const markup = pieces.map(piece => {
      if (piece.type === 'html') return piece.markup
      if (piece.type !== 'image') return ''
      const { path: place } = piece.image
      return figure(piece.image, (Object.hasOwn(images, place) && images[place]) || null)
    })
    return {
      label: index === 0 ? 'Before' : 'After',
      title: textAt(document.summary, 'title').trim() || 'Untitled',
      html: new Html(withoutIds(markup.join(''))),
    }
  })
}

/** Both texts stand on one page, where an id may be there only once. */
function withoutIds(markup: string): string {
  return markup.replace(/(<[a-z][^<>]*?) id="[^"<>]*"/g, '$1')
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
