import type { JsonObject } from '../codec/json.ts'
import type { ProvableEvent } from '../log/copy-history.ts'
import { bodyHashOf, linkOf } from './folder/item.ts'

/**
 * A part of a log as a log of its own: events with their ids, times, bodies and hashes, the erased ones among them, on positions and a chain
 * that begin anew.
 *
 * @param part whole histories, in any order
 */
export function partLog(part: readonly ProvableEvent[]): ProvableEvent[] {
  const events = part.toSorted((one, other) => one.position - other.position)
  return linked(events.map((event, index) => withPart(event, partOf(events, index))))
}

/** Events with positions without a gap, times that do not decrease, and a chain of their own. */
export function linked(events: readonly ProvableEvent[]): ProvableEvent[] {
  let chain = '0'.repeat(64)
  let last = ''
  return events.map((event, index) => {
    last = event.recordedAt > last ? event.recordedAt : last
    const placed = { ...event, position: index + 1, recordedAt: last, previous: chain }
    chain = linkOf(placed)
    return { ...placed, chain }
  })
}

interface Meta extends JsonObject {
  readonly part: number
}

/** What an event says of its place in its save; null when it says nothing, as the first of one does. */
function metaOf({ meta }: ProvableEvent): Meta | null {
  if (meta === null || !meta.includes('"part"')) return null
  const parsed = JSON.parse(meta) as JsonObject
  return typeof parsed['part'] === 'number' ? (parsed as Meta) : null
}

/** Which of those events of its save that are among `events` the one at an index is, from 1. */
function partOf(events: readonly ProvableEvent[], index: number): number {
  const event = events[index] as ProvableEvent
  const begin = event.position - (metaOf(event)?.part ?? 1) + 1
  let first = index
  while ((events[first - 1]?.position ?? 0) >= begin) first--
  return index - first + 1
}

/** An event that says of itself which one of its save it is. Where others of the save are missing its body is another one than it was. */
function withPart(event: ProvableEvent, part: number): ProvableEvent {
  const before = metaOf(event)
  if (before === null || event.salt === null || before.part === part) return event
  const { part: _, ...rest } = before
  const meta = JSON.stringify(part > 1 ? { ...rest, part } : rest)
  return { ...event, meta, bodyHash: bodyHashOf(event.salt, { ...event, meta }) }
}
