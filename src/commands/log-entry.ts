import type { NewEvent, SiteEvent } from '../content/events.ts'
import { EVENT_VERSIONS } from '../content/upcast.ts'
import type { LogEntry } from '../log/event.ts'
import type { Author, Site } from './change.ts'
import { metaOf } from './meta.ts'

/** What is about to be appended, in the two shapes it is needed in. */
export interface Prepared {
  /** For `evolve` and projections. Its position is not known yet: it is minus its place in the change, from -1. */
  readonly event: SiteEvent
  readonly entry: LogEntry
}

/**
 * An event of a change as it goes to the log.
 *
 * @param place `index` in the change, from 0; `revision` in its stream, from 1
 */
export function prepareEvent(
  { now, newId }: Pick<Site, 'now' | 'newId'>,
  author: Author,
  { event, index, revision }: { event: NewEvent; index: number; revision: number },
): Prepared {
  const common = {
    eventId: author.eventId?.(index) ?? newId(),
    revision,
    actor: author.actor ?? author.viewer.actor,
    at: author.at ?? now(),
    note: author.note ?? null,
  }
  return {
    event: { ...event, ...common, position: -(index + 1) } as SiteEvent,
    entry: {
      ...common,
      stream: event.stream,
      type: event.type,
      version: EVENT_VERSIONS[event.type],
      meta: metaOf(author, event, index + 1),
      data: JSON.stringify(event.data),
      ...(author.recordedAt !== undefined && { recordedAt: author.recordedAt }),
    },
  }
}
