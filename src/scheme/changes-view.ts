import { renderView } from './frame.ts'
import { personLink, timeTag } from './links.ts'
import { counted, momentOf } from './moments.ts'
import { deedOf } from './revisions.ts'
import type { Scheme } from './scheme.ts'
import type { ChangesView, SavedChange, SaveView } from './views-of-past.ts'

/** Changes of a save that are named. */
const NAMED_MAX = 10

/** What changed on the site, save by save and by day, as an HTML document. */
export function renderChanges(scheme: Scheme, view: ChangesView): string {
  const { frame, action, chosen, saves, feedUrl, firstUrl, nextUrl } = view
  return renderView(scheme, 'site-changes', {
    frame,
    head: {
      title: 'What changed',
      noindex: true,
      alternates: [{ title: 'What changed', url: feedUrl, mediaType: 'application/atom+xml' }],
    },
    breadcrumb: [],
    past: { script: null },
    context: { action, chosen, days: byDay(saves), feedUrl, firstUrl, nextUrl },
  })
}

function byDay(saves: readonly SaveView[]): { title: string; saves: object[] }[] {
  const days: { title: string; saves: object[] }[] = []
  for (const save of saves) {
    const at = momentOf(save.at)
    if (days.at(-1)?.title !== at.day) days.push({ title: at.day, saves: [] })
    days.at(-1)?.saves.push({
      note: save.note,
      author: personLink(save.author),
      when: timeTag(at, 'time'),
      timeUrl: save.timeUrl,
      changes: save.changes.slice(0, NAMED_MAX).map(showChange),
      more:
        save.changes.length > NAMED_MAX
          ? counted(save.changes.length - NAMED_MAX, 'more change')
          : null,
    })
  }
  return days
}

function showChange({ title, path, type, url, was }: SavedChange): object {
  return {
    name: title?.trim() || path || 'The site',
    url,
    deed: deedOf(type),
    detail: was === null ? null : `from ${was} to ${path}`,
  }
}
