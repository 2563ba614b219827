import type { JsonObject } from '../codec/json.ts'
import { documentOf } from './document.ts'
import type { Erased, EventType, SiteEvent, StandIn } from './events.ts'
import { evolve } from './evolve.ts'
import { roughBytes } from './keyframe.ts'
import type { Entity } from './state.ts'
import { EVENT_VERSIONS } from './upcast.ts'

/** An event as it is read, with what the log knows of it besides. */
export interface ReadEvent {
  readonly event: SiteEvent
  readonly meta: JsonObject | null
  /** Whether the log has only a stand-in of it. */
  readonly isEmptied: boolean
  /** The revision of the event that erased it; null: none did. */
  readonly erased: number | null
}

/** What shall go: all that an entity ever was, or what some of its events said. */
export type Wanted = 'whole' | ReadonlySet<number>

/** What an erasure comes to. */
export interface ErasurePlan {
  /** The payload of the `Erased` event. */
  readonly data: Erased
  /** The files that the erased events named, each once. */
  readonly blobs: readonly { readonly sha256: string; readonly sizeBytes: number }[]
  /** About how much is erased beside them. */
  readonly bytes: number
  /** The entity as it is before, and as it will be. */
  readonly before: Entity
  readonly after: Entity
}

/**
 * Plans the erasure of a stream's events. Pure.
 *
 * With a content revision goes what publishes it, for that repeats it, and with an attached file the event that takes it away. A
 * patch that follows erased content tells of it and cannot be applied any more: such an event is emptied too, and what stands in for it
 * carries its document whole.
 *
 * @param events all of the stream, oldest first
 * @param making what the `Erased` event will have of its own
 * @returns null when all of it was erased before
 */
export function planErasure(
  events: readonly ReadEvent[],
  wanted: Wanted,
  making: Pick<SiteEvent, 'stream' | 'eventId' | 'actor' | 'at' | 'note'>,
): ErasurePlan | null {
  const revision = events.length + 1
  const gone = reachOf(events, wanted)
  if (gone.size === 0) return null
  const standIns: StandIn[] = []
  let was: Entity | null = null
  let will: Entity | null = null
  for (const read of events) {
    was = evolve(was, read.event) as Entity
    const erased = read.erased ?? (gone.has(read.event.revision) ? revision : null)
    const standIn = standInOf(read, erased, { was, will })
    if (standIn !== null) standIns.push(standIn)
    will = evolve(will, standIn === null ? read.event : standingIn(read.event, standIn)) as Entity
  }
  const revisions = [...gone].sort((a, b) => a - b)
  const data: Erased = { revisions, ...(wanted === 'whole' && { whole: true }), standIns }
  const event = { ...making, type: 'Erased', data, revision, position: 0 } as SiteEvent
  const after = evolve(will, event) as Entity
  const erased = events.filter(({ event }) => gone.has(event.revision))
  return { data, ...weighed(erased), before: was as Entity, after }
}

/** The revisions that are to go and have not gone yet. */
function reachOf(events: readonly ReadEvent[], wanted: Wanted): Set<number> {
  const gone = new Set<number>()
  const files = new Set<string>()
  for (const { event, erased } of events) {
    const { type, revision } = event
    const isWanted =
      wanted === 'whole'
        ? type !== 'Erased'
        : wanted.has(revision) || (type === 'PagePublished' && wanted.has(event.data.revision))
    const takesAway = type === 'BlobDetached' && files.has(event.data.name)
    if (type === 'BlobAttached') {
      if (isWanted) files.add(event.data.name)
      else files.delete(event.data.name)
    }
    if (takesAway) files.delete(event.data.name)
    if ((isWanted || takesAway) && erased === null) gone.add(revision)
  }
  return gone
}

interface Sides {
  /** The entity after the event, as it is read now. */
  readonly was: Entity
  /** The entity before the event, as it will be read. */
  readonly will: Entity | null
}

/** What will stand in for an event; null when it stays as it is. */
function standInOf(read: ReadEvent, erased: number | null, { was, will }: Sides): StandIn | null {
  const { event, meta } = read
  const { revision, type, note } = event
  const version = type === 'Redacted' ? 1 : EVENT_VERSIONS[type]
  if (erased !== null) {
    const draft = meta?.['draft'] === undefined ? null : { draft: true }
    const data = remainsOf(event, erased, was)
    return { revision, erased, version, note: null, meta: draft, data }
  }
  const kept = { revision, erased, version, note, meta }
  if (event.type === 'Erased') return { ...kept, data: { ...event.data, standIns: [] } }
  const isAdrift = hasPatch(event) && will?.tipErased !== undefined
  if (!isAdrift && !read.isEmptied) return null
  return { ...kept, data: isAdrift ? wholeOf(event, was) : event.data }
}

function hasPatch({ data }: SiteEvent): boolean {
  return 'patch' in data && data.patch !== undefined
}

/** The payload with the document in place of the patch. */
function wholeOf({ data }: SiteEvent, after: Entity): object {
  const { patch: _, hash: __, ...rest } = data as { patch?: unknown; hash?: unknown }
  return { ...rest, document: documentOf(after.tip) }
}

/** What is left of a payload that is erased: where the page was and when it changed, for what is at its path and the numbers of revisions. */
function remainsOf(event: SiteEvent, erased: number, after: Entity): object | null {
  switch (event.type) {
    case 'PageCreated':
    case 'PageRevised':
    case 'PagePublished': {
      const {
        document: _,
        patch: __,
        hash: ___,
        ...rest
      } = event.data as {
        document?: unknown
        patch?: unknown
        hash?: unknown
      }
      return { ...rest, erased, proto: documentOf(after.tip).proto }
    }
    case 'PageDeleted': {
      const { redirect: _, ...rest } = event.data
      return rest
    }
    case 'PageMoved':
    case 'PageUndeleted':
    case 'PublishScheduled':
    case 'ScheduleCancelled':
      return event.data
    case 'Erased':
      return { ...event.data, standIns: [] }
    default:
      return null
  }
}

/** The event as it is read when that stands in for it. */
function standingIn(event: SiteEvent, { data, note }: StandIn): SiteEvent {
  if (data !== null) return { ...event, data, note } as SiteEvent
  const was = event.type === 'Redacted' ? event.data.was : (event.type satisfies EventType)
  return { ...event, type: 'Redacted', data: { was }, note: null } as SiteEvent
}

function weighed(erased: readonly ReadEvent[]): Pick<ErasurePlan, 'blobs' | 'bytes'> {
  const blobs = new Map<string, ErasurePlan['blobs'][number]>()
  let bytes = 0
  for (const { event, meta } of erased) {
    bytes += roughBytes([event.data, event.note, meta])
    if (event.type !== 'BlobAttached') continue
    const { sha256, sizeBytes } = event.data
    blobs.set(sha256, { sha256, sizeBytes })
  }
  return { blobs: [...blobs.values()], bytes }
}
