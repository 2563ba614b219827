import type { Json, JsonObject } from '../../codec/json.ts'
import { derivedId } from '../../commands/derived-id.ts'
import type { ImportedAppend, ImportedEvent } from '../../commands/import.ts'
import { checkImportedDocument } from '../../content/check-document.ts'
import type { Document } from '../../content/document.ts'
import { SYSTEM } from '../../content/events.ts'
import { isRm3Error } from '../../errors.ts'
import { isInstant } from '../../log/check-entry.ts'
import { payloadFault } from './check-payload.ts'
import { type FileEntry, hashOfBlobFile, streamOf } from './format.ts'
import { BACKUP_JSON_LIMITS, objectIn, readText } from './read-history.ts'
import { FileFault } from './rules.ts'

const META = { door: 'import', import: { snapshot: true } }
const ACTOR = /^[a-z0-9-]{1,64}$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The events that make a site what the records of its files say, for backups without history: each page as one event and one more for a newer
 * draft, then what belongs to it, grants and settings.
 *
 * @param recordedAt of the backup; null when it is of an empty log
 */
export function recordsPlan(
  dir: string,
  files: readonly FileEntry[],
  recordedAt: string | null,
): ImportedAppend[] {
  if (recordedAt === null) return []
  const told = files.flatMap(file =>
    eventsOfRecord(objectIn(readText(dir, file.name)), file, recordedAt),
  )
  const isPage = ({ type }: ImportedEvent) => type.startsWith('Page')
  const inOrder = [...told.filter(isPage), ...told.filter(event => !isPage(event))]
  return inOrder.map(event => ({ recordedAt, events: [event] }))
}

/**
 * The events that make what one record says.
 *
 * @param at when it shall have happened, where the record does not say
 * @throws FileFault record-shape naming the member
 */
export function eventsOfRecord(record: JsonObject, file: FileEntry, at: string): ImportedEvent[] {
  const events = told(record, file, at)
  for (const { type, data, eventId, actor, at: happened } of events) {
    const wrong = payloadFault(type, data as unknown as JsonObject)
    if (wrong !== null)
      throw shape(wrong.replace('/data', ''), `its ${type} is not as it should be`)
    if (!UUID.test(String(eventId))) throw shape('/revisionId', 'it is no id')
    if (!ACTOR.test(String(actor))) throw shape('/author', 'it is nobody')
    if (!isInstant(String(happened))) throw shape('/touched', 'it is no instant')
  }
  return events
}

/** The document that a record says. @throws FileFault record-shape */
export function documentIn(record: JsonObject): Document {
  const document = members(record, 'proto', 'hidden', 'summary', 'data', 'tags')
  try {
    return checkImportedDocument(document, BACKUP_JSON_LIMITS)
  } catch (thrown) {
    if (!isRm3Error(thrown)) throw thrown
    throw shape(String(thrown.details['pointer'] ?? ''), thrown.message)
  }
}

function told(record: JsonObject, file: FileEntry, at: string): ImportedEvent[] {
  if (file.kind === 'entity') return [...pageOf(record), ...belongingsOf(record, at)]
  const teller = new Teller(streamOf(file), at)
  if (file.kind === 'settings') {
    return listIn(record, 'settings').map(item =>
      teller.tell('SettingChanged', members(item, 'key', 'value')),
    )
  }
  return listIn(record, 'permits').map(({ path, ...item }) =>
    teller.tell('RolePermitted', { ...members(item, 'role', 'permission'), pattern: path ?? null }),
  )
}

function pageOf(record: JsonObject): ImportedEvent[] {
  const { entityId, revisionId, revisionNum: number = null, author, touched, state } = record
  const common = { stream: entityId, note: null, meta: META }
  const created = {
    ...{ ...common, type: 'PageCreated', eventId: revisionId, actor: author, at: touched },
    data: {
      ...{ ...members(record, 'path', 'created', 'modified'), number },
      document: documentIn(record),
      ...(state === 'draft' && { draft: true }),
    },
  } as unknown as ImportedEvent
  const draft = record['draft'] ?? null
  if (draft === null) return [created]
  if (!isObject(draft)) throw shape('/draft', 'it is no object')
  const revised = {
    ...{ ...common, type: 'PageRevised', eventId: draft['revisionId'] },
    ...{ actor: draft['author'], at: draft['at'] },
    data: { base: 1, document: documentIn(draft), draft: true },
  } as unknown as ImportedEvent
  return [created, revised]
}

function belongingsOf(record: JsonObject, at: string): ImportedEvent[] {
  const teller = new Teller(String(record['entityId']), at)
  const roles = record['roles']
  if (!Array.isArray(roles)) throw shape('/roles', 'it is no list')
  return [
    ...roles.map(role => teller.tell('RoleAssigned', { role })),
    ...listIn(record, 'credentials').map(({ created, ...rest }) =>
      teller.tell('CredentialSet', withoutNull(rest), String(created)),
    ),
    ...listIn(record, 'blobs').map(({ file, ...rest }) => {
      const data = members(rest, 'name', 'sizeBytes', 'mediaType', 'category')
      return teller.tell('BlobAttached', { ...data, sha256: hashOfBlobFile(String(file)) })
    }),
  ]
}

/** Makes events of one stream that nobody recorded as such. */
class Teller {
  readonly #stream: string
  readonly #at: string

  constructor(stream: string, at: string) {
    this.#stream = stream
    this.#at = at
  }

  tell(type: ImportedEvent['type'], data: JsonObject, at = this.#at): ImportedEvent {
    const eventId = derivedId(this.#stream, type, JSON.stringify(data))
    const event = { type, stream: this.#stream, data, eventId, actor: SYSTEM, at }
    return { ...event, note: null, meta: META } as unknown as ImportedEvent
  }
}

function listIn(record: JsonObject, member: string): JsonObject[] {
  const list = record[member]
  if (Array.isArray(list) && list.every(isObject)) return list
  throw shape(`/${member}`, 'it is no list of objects')
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Some members of an object, as far as it has them. */
function members(object: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => names.includes(name)))
}

function withoutNull(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))
}

function shape(place: string, message: string): FileFault {
  return new FileFault('record-shape', message, place)
}
