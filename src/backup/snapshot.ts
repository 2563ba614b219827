import { toSegments } from '../codec/segments.ts'
import type { ImportedAppend, ImportedEvent } from '../commands/import.ts'
import { type Document, documentOf } from '../content/document.ts'
import type { SiteEvent } from '../content/events.ts'
import { evolve } from '../content/evolve.ts'
import type { Entity, State } from '../content/state.ts'

/** A stream as it ends, and its events. */
export interface Told {
  readonly events: ImportedEvent[]
  state: State | null
  /** Documents by revision, for publications of an older one. */
  readonly documents: Map<number, Document>
}

/**
 * The same site without its past: each live page as one event, with the roles, credentials, blobs and grants that are in force at
 * the end. Pages that are deleted or were never live are left out.
 */
export function snapshotOf(appends: readonly ImportedAppend[]): ImportedAppend[] {
  const recordedAt = appends.at(-1)?.recordedAt
  if (recordedAt === undefined) return []
  const told = tell(appends)
  const pages = [...told.values()].flatMap(pageOf)
  pages.sort((one, other) => (pathOf(one) < pathOf(other) ? -1 : 1))
  const rest = [...told.values()].flatMap(inForce)
  return [...pages, ...rest].map(event => ({ recordedAt, events: [event] }))
}

/** The streams of a history, folded, by id. */
export function tell(appends: readonly ImportedAppend[]): Map<string, Told> {
  const streams = new Map<string, Told>()
  for (const event of appends.flatMap(append => append.events)) {
    const told: Told = streams.get(event.stream) ?? {
      events: [],
      state: null,
      documents: new Map(),
    }
    streams.set(event.stream, told)
    told.events.push(event)
    if ('document' in event.data) told.documents.set(told.events.length, event.data.document)
    told.state = evolve(told.state, recorded(event, told))
  }
  return streams
}

/** The event as `evolve` takes it; an older revision that goes live comes with what it says. */
function recorded(event: ImportedEvent, told: Told): SiteEvent {
  const { type, stream, data, eventId, actor, at, note } = event
  const common = { eventId, actor, at, note, revision: told.events.length, position: -1 }
  const state = told.state?.kind === 'entity' ? told.state : null
  const isOlder = type === 'PagePublished' && data.revision !== state?.tipRevision
  const document = isOlder ? told.documents.get(data.revision) : undefined
  if (document === undefined) return { type, stream, data, ...common } as SiteEvent
  const patch = [{ op: 'replace', path: '', value: toSegments({ ...document }) }]
  return { type, stream, data: { ...data, patch }, ...common } as SiteEvent
}

function pageOf({ state }: Told): ImportedEvent[] {
  if (state?.kind !== 'entity' || state.state !== 'live' || state.live === null) return []
  const { live } = state
  const data = {
    path: state.path,
    document: documentOf(live.document),
    ...{ number: live.number, created: state.created, modified: live.modified },
  }
  return [
    {
      type: 'PageCreated',
      stream: state.id,
      data,
      eventId: live.revisionId,
      actor: live.author,
      at: live.touched,
      note: null,
      meta: { door: 'import', import: { snapshot: true, revision: live.revision } },
    },
  ]
}

/** The events whose effect lasts. */
function inForce({ state, events }: Told): ImportedEvent[] {
  if (state?.kind === 'settings') {
    return at(
      events,
      Object.values(state.values).map(({ since }) => since),
    )
  }
  if (state?.kind === 'grants') return at(events, Object.values(state.active))
  if (state?.state !== 'live') return []
  return at(events, sinceOf(state))
}

function sinceOf({ roles, credentials, blobs }: Entity): number[] {
  const others = [...Object.values(credentials), ...Object.values(blobs)].map(({ since }) => since)
  return [...Object.values(roles), ...others].sort((one, other) => one - other)
}

function at(events: readonly ImportedEvent[], revisions: readonly number[]): ImportedEvent[] {
  return [...revisions]
    .sort((one, other) => one - other)
    .flatMap(revision => events[revision - 1] ?? [])
}

function pathOf({ type, data }: ImportedEvent): string {
  return type === 'PageCreated' ? data.path : ''
}
