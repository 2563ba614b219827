import type { Erased, StandIn } from './events.ts'
import type { Recorded } from './upcast.ts'

/** What stands in for the emptied events of one stream, by revision. */
export type StandIns = ReadonlyMap<number, Pick<StandIn, 'version' | 'note' | 'data'>>

/** Of a stream of which nothing was ever erased. */
export const NO_STAND_INS: StandIns = new Map()

/**
 * What the `Erased` events of a stream say of the others, for those who have the events but no database (there the view `events` does it).
 *
 * @param events of one stream, oldest first; others than `Erased` ones may be among them
 */
export function standInsOf(events: Iterable<Pick<Recorded, 'type' | 'data'>>): StandIns {
  const standIns = new Map<number, StandIn>()
  for (const { type, data } of events) {
    if (type !== 'Erased' || data === null) continue
    for (const standIn of (JSON.parse(data) as Erased).standIns) {
      standIns.set(standIn.revision, standIn)
    }
  }
  return standIns
}

/** An event as it is read: itself, or where it was emptied what stands in for it. */
export function asRead<Event extends Recorded>(event: Event, standIns: StandIns): Event {
  const standIn = event.data === null ? standIns.get(event.revision) : undefined
  if (standIn === undefined) return event
  const { version, note, data } = standIn
  return { ...event, version, note, data: data === null ? null : JSON.stringify(data) }
}
