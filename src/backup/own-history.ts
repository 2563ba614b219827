import type { ImportedEvent } from '../commands/import.ts'

/** What belongs to a page alone: its contents, its places, its files. Roles, credentials and plans are the site's. */
function isOwn({ type }: ImportedEvent): boolean {
  return type.startsWith('Page') || type.startsWith('Blob')
}

/** Members that name another revision of the stream. */
const REFERENCES = ['base', 'revision', 'restored'] as const

/**
 * The events of a page without those that belong to the site. Revisions that they name are those of the shorter history.
 *
 * @param events of one stream, oldest first
 */
export function ownHistory(events: readonly ImportedEvent[]): ImportedEvent[] {
  const places: number[] = []
  let kept = 0
  for (const event of events) places.push(isOwn(event) ? ++kept : kept)
  return events.filter(isOwn).map(event => {
    const data = { ...event.data } as Record<string, unknown>
    for (const member of REFERENCES) {
      const revision = data[member]
      if (typeof revision === 'number') data[member] = places[revision - 1] ?? revision
    }
    return { ...event, data } as ImportedEvent
  })
}
