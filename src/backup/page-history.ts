import type { ImportedEvent } from '../commands/import.ts'
import { checkImportedDocument } from '../content/check-document.ts'
import type { EventType } from '../content/events.ts'
import { parsePath } from '../content/path.ts'
import { EVENT_VERSIONS } from '../content/upcast.ts'
import { Rm3Error } from '../errors.ts'
import { parseSource } from './legacy/files.ts'

/** A page's history as `rm3dump -l` of this rm3 prints it, and the record beside it. */
export interface PageHistory {
  readonly events: readonly ImportedEvent[]
  /** The source without the history, as JSON text. */
  readonly record: string
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const ACTOR = /^[a-z0-9-]{1,64}$/
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const REVISIONS_MAX = 100_000

/**
 * The history in a single page's file, when it is one of this rm3; null when it has none or one of rm3 0.x.
 *
 * @throws SOURCE_DAMAGED naming the item, also where something of the history was erased
 */
export function readPageHistory(source: string | Uint8Array, file: string): PageHistory | null {
  const value = parseSource(source, file)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const { history, ...record } = value
  if (!Array.isArray(history) || !history.some(isOurs)) return null
  if (history.length > REVISIONS_MAX) throw damaged(file, '/history', 'it is too long')
  const events = history.map((item, index) => readItem(item, { file, index, record }))
  if (events[0]?.type !== 'PageCreated') {
    throw damaged(file, '/history/0', 'a history begins with PageCreated')
  }
  return { events, record: JSON.stringify(record) }
}

function isOurs(item: unknown): boolean {
  return typeof item === 'object' && item !== null && 'revisionId' in item && 'type' in item
}

interface Place {
  readonly file: string
  readonly index: number
  readonly record: Readonly<Record<string, unknown>>
}

function readItem(item: unknown, place: Place): ImportedEvent {
  const { type, revisionId, at, actor, note, data } = item as Record<string, unknown>
  const isErased = type === 'Erased' || 'erased' in (item as object)
  check(
    !isErased,
    place,
    'type',
    'was erased: load the page without its history (rm3dump without -l)',
  )
  const isKnown = typeof type === 'string' && Object.hasOwn(EVENT_VERSIONS, type)
  check(isKnown, place, 'type', 'is no event of this rm3')
  check(typeof revisionId === 'string' && UUID.test(revisionId), place, 'revisionId', 'is no uuid')
  check(typeof at === 'string' && INSTANT.test(at), place, 'at', 'is no instant in UTC')
  check(typeof actor === 'string' && ACTOR.test(actor), place, 'actor', 'is no actor')
  check(note === null || typeof note === 'string', place, 'note', 'is no text')
  check(typeof data === 'object' && data !== null, place, 'data', 'is no object')
  return {
    type: type as EventType,
    stream: String(place.record['entityId']),
    data: checkedData(type as EventType, { ...(data as object) }, place),
    eventId: revisionId,
    ...{ at, actor, note },
    meta: { door: 'import', import: { from: 'rm3dump', revision: place.index + 1 } },
  } as ImportedEvent
}

function checkedData(type: EventType, data: Record<string, unknown>, place: Place): object {
  try {
    if ('document' in data) data['document'] = checkImportedDocument(data['document'])
    for (const member of ['path', 'from', 'to']) {
      if (type.startsWith('Page') && member in data) data[member] = parsePath(String(data[member]))
    }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw damaged(place.file, `/history/${place.index}/data`, message)
  }
  const isWhole = type === 'PageRevised' ? 'document' in data : true
  check(isWhole, place, 'data', 'has no document')
  check(type !== 'PageCreated' || ('path' in data && 'document' in data), place, 'data', 'lacks')
  return data
}

function check(ok: boolean, { file, index }: Place, member: string, what: string): asserts ok {
  if (!ok) throw damaged(file, `/history/${index}/${member}`, what)
}

function damaged(file: string, place: string, what: string): Rm3Error {
  return new Rm3Error('SOURCE_DAMAGED', `${file} at ${place}: ${what}`, { file, place })
}
