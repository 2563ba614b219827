import type { ImportedEvent } from '../commands/import.ts'

/** Members that name another revision of the stream. */
const REFERENCES = ['base', 'revision', 'restored', 'erased'] as const

/**
 * The events of a page without those that belong to the site. Revisions that they name are those of the shorter history.
 *
 * @param events of one stream, oldest first
 */
export function ownHistory(events: readonly ImportedEvent[]): ImportedEvent[] {
  const places: number[] = []
  let kept = 0
  for (const event of events) places.push(isOwn(event, events) ? ++kept : kept)
  const placeOf = (revision: number) => places[revision - 1] ?? revision
  return events
    .filter(event => isOwn(event, events))
    .map(event => {
      const data = { ...event.data } as Record<string, unknown>
      for (const member of REFERENCES) {
        const revision = data[member]
        if (typeof revision === 'number') data[member] = placeOf(revision)
      }
      if (event.type === 'Erased') {
        const own = event.data.revisions.filter(it => isOwn(events[it - 1], events))
        data['revisions'] = own.map(placeOf)
      }
      return { ...event, data } as ImportedEvent
    })
}

/** What belongs to a page alone: its contents, its places, its files. Roles, credentials and plans are the site's. */
function isOwn(event: ImportedEvent | undefined, events: readonly ImportedEvent[]): boolean {
  if (event === undefined) return false
  if (event.type === 'Erased') {
    const { whole, revisions } = event.data
    return whole === true || revisions.some(revision => isOwn(events[revision - 1], events))
  }
  const type = event.type === 'Redacted' ? event.data.was : event.type
  return type.startsWith('Page') || type.startsWith('Blob')
}
