import { renderView, SAID_URL } from './frame.ts'
import type { Html } from './html.ts'
import { personLink, timeTag } from './links.ts'
import { momentOf } from './moments.ts'
import { deedOf } from './revisions.ts'
import type { Scheme } from './scheme.ts'
import type { ChangesView, SavedChange, SaveView } from './views-of-past.ts'
import { counted } from './words.ts'

/** Changes of a save that are named. */
const NAMED_MAX = 10

interface ShownSave {
  readonly note: string | null
  readonly author: Html
  readonly when: Html
  readonly timeUrl: string
  readonly changes: readonly object[]
  readonly more: string | null
}

/** A save, and those before it of the same page by the same author, without a note: the way to it. */
interface Folded {
  readonly save: ShownSave
  readonly earlier: readonly ShownSave[]
  readonly folded: string | null
}

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
    context: {
      ...{ action, chosen, feedUrl, firstUrl, nextUrl, saidUrl: SAID_URL },
      days: byDay(saves, frame.site.timeZone),
    },
  })
}

function byDay(saves: readonly SaveView[], zone: string): { title: string; saves: Folded[] }[] {
  const days: { title: string; saves: SaveView[] }[] = []
  for (const save of saves) {
    const { day } = momentOf(save.at, zone)
    if (days.at(-1)?.title !== day) days.push({ title: day, saves: [] })
    days.at(-1)?.saves.push(save)
  }
  return days.map(day => ({ title: day.title, saves: fold(day.saves, zone) }))
}

function fold(saves: readonly SaveView[], zone: string): Folded[] {
  const groups: { save: SaveView; earlier: SaveView[] }[] = []
  for (const save of saves) {
    const last = groups.at(-1)
    if (last !== undefined && isStepTo(last.save, save)) last.earlier.push(save)
    else groups.push({ save, earlier: [] })
  }
  return groups.map(({ save, earlier }) => ({
    save: showSave(save, zone),
    earlier: earlier.map(one => showSave(one, zone)),
    folded: earlier.length === 0 ? null : counted(earlier.length, 'earlier save'),
  }))
}

function isStepTo(later: SaveView, { note, author, changes }: SaveView): boolean {
  const [change] = changes
  const [other] = later.changes
  if (note !== null || changes.length !== 1 || later.changes.length !== 1) return false
  const isSameAuthor = author?.name === later.author?.name && author?.url === later.author?.url
  return isSameAuthor && change?.path === other?.path && change?.type === other?.type
}

function showSave({ at, note, author, timeUrl, changes }: SaveView, zone: string): ShownSave {
  return {
    ...{ note, timeUrl },
    author: personLink(author),
    when: timeTag(momentOf(at, zone), 'time'),
    changes: changes.slice(0, NAMED_MAX).map(showChange),
    more: changes.length > NAMED_MAX ? counted(changes.length - NAMED_MAX, 'more change') : null,
  }
}

function showChange({ title, path, type, url, was }: SavedChange): object {
  return {
    name: title?.trim() || path || 'The site',
    url,
    deed: deedOf(type),
    detail: was === null ? null : `from ${was} to ${path}`,
  }
}
