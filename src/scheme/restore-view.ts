import { labelOf, showFields } from './diff-fields.ts'
import { renderView } from './frame.ts'
import { showRevision } from './revisions.ts'
import type { Scheme } from './scheme.ts'
import type { RestoredPages, RestoredRevision, RestoreView } from './views-of-past.ts'
import { counted } from './words.ts'

/** Pages that are named. */
const NAMED_MAX = 100

/** What bringing something back would come to, with the form that does it, as an HTML document. */
export function renderRestore(scheme: Scheme, view: RestoreView): string {
  const { frame, subject, breadcrumb, historyUrl, action, fields, problem, note, what } = view
  return renderView(scheme, 'restore', {
    frame,
    head: { title: `Restore ${subject.title}`, noindex: true },
    breadcrumb,
    past: { script: null },
    context: {
      ...{ subject, historyUrl, action, fields, problem, note },
      missing: view.missing.map(({ kind, name }) => ({ name, words: MISSING[kind] })),
      ...(what.type === 'revision' ? ofRevision(view, what) : ofPages(view, what)),
    },
  })
}

const MISSING = {
  page: 'a page that it names is not there',
  file: 'this file is no longer with the page',
  proto: 'no page of the site is of this kind any more',
} as const

function ofRevision({ frame }: RestoreView, { entry, field, changes, draft }: RestoredRevision) {
  return {
    revision: showRevision(entry, frame.site.timeZone),
    field: field === null ? null : labelOf(field),
    changes: showFields(changes),
    draft,
  }
}

const REASONS: Readonly<Record<string, string>> = {
  PERMISSION_DENIED: 'you may not',
  PATH_TAKEN: 'another page is there',
  ERASED: 'what it said was erased',
}

function ofPages({ subject }: RestoreView, { to, below, pages, left }: RestoredPages) {
  return {
    nothing: !subject.deleted && pages.length === 0 && left.length === 0,
    ...{ to, below },
    count: pages.length === 0 ? null : counted(pages.length, 'page'),
    were: pages.length === 1 ? 'was' : 'were',
    pages: pages.slice(0, NAMED_MAX).map(({ to: place }) => place),
    more: pages.length > NAMED_MAX ? counted(pages.length - NAMED_MAX, 'more page') : null,
    left: left.slice(0, NAMED_MAX).map(({ path, why }) => ({ path, why: REASONS[why] ?? why })),
  }
}
