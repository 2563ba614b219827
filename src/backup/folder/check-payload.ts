import type { Json, JsonObject } from '../../codec/json.ts'
import { isSegmented } from '../../codec/segments.ts'
import { checkImportedDocument } from '../../content/check-document.ts'
import { roughBytes } from '../../content/keyframe.ts'
import { isPath } from '../../content/path.ts'
import { compilePattern } from '../../content/pattern.ts'
import { type Entity, KEYFRAME_BYTES } from '../../content/state.ts'
import { isRm3Error } from '../../errors.ts'
import { isInstant as isInstantText } from '../../log/check-entry.ts'

type Check = (value: Json | undefined) => boolean

const SHA256 = /^[0-9a-f]{64}$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Tables keep revisions as PostgreSQL's int. */
const REVISION_MAX = 2 ** 31 - 1
/** Deeper than any document is; each step goes one level down. */
const STEPS_MAX = 80
/** As much as a file may have before its history, where the document stands too. */
const DOCUMENT_BYTES_MAX = 64 * 1024 * 1024

const isText: Check = value => typeof value === 'string'
/** What may be a key of an object. */
const isKey: Check = value => typeof value === 'string' && value !== '__proto__'
const isWord: Check = value => isKey(value) && /^\S{1,1000}$/.test(value as string)
const isSize: Check = value => Number.isSafeInteger(value) && (value as number) >= 0
const isRevision: Check = value => isSize(value) && (value as number) <= REVISION_MAX
const isUuid: Check = value => typeof value === 'string' && UUID.test(value)
const isPathValue: Check = value => isPath(value)
const isInstant: Check = value => typeof value === 'string' && isInstantText(value)
const isTrue: Check = value => value === true
const isObject: Check = value =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isAny: Check = value => value !== undefined
const isPattern: Check = value => isText(value) && isTakenBy(() => compilePattern(value as string))

const optional =
  (check: Check): Check =>
  value =>
    value === undefined || check(value)
const oneOf =
  (...values: readonly string[]): Check =>
  value =>
    values.includes(value as string)

const IMPORTED = {
  number: optional(isRevision),
  created: optional(isInstant),
  modified: optional(isInstant),
}
const isPatch: Check = value =>
  Array.isArray(value) &&
  value.every(step => {
    const { op, path } = isObject(step) ? (step as JsonObject) : {}
    return typeof path === 'string' && path.split('/').length <= STEPS_MAX && isText(op)
  })
const REVIEW = optional(oneOf('waiting', 'rejected'))
const CREDENTIAL = {
  credential: isUuid,
  provider: isWord,
  label: optional(isText),
  scope: optional(isText),
  expires: optional(isInstant),
}
const GRANT = { role: isWord, permission: isWord, pattern: isPattern }

const isStandIn: Check = value => {
  if (!isObject(value)) return false
  const { revision, version, note, meta, data, erased } = value as JsonObject
  const isWhole = (member: Json | undefined) => member === null || isObject(member)
  return (
    isRevision(revision) &&
    isRevision(version) &&
    (erased === null || isRevision(erased)) &&
    (note === null || isText(note)) &&
    isWhole(meta) &&
    isWhole(data)
  )
}

/** The members of each payload that something relies on. Others are kept, whatever they are. */
const SHAPES: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  PageCreated: { ...IMPORTED, path: isPathValue, draft: optional(isTrue), review: REVIEW },
  PageRevised: {
    ...{ ...IMPORTED, base: isRevision, draft: optional(isTrue), review: REVIEW },
    ...{ minor: optional(isTrue), restored: optional(isRevision), patch: optional(isPatch) },
  },
  PagePublished: {
    ...{ ...IMPORTED, revision: isRevision, revisionId: optional(isUuid) },
    ...{ patch: optional(isPatch), schedule: optional(isUuid) },
  },
  PublishScheduled: { revision: isRevision, revisionId: isUuid, at: isInstant },
  ScheduleCancelled: { schedule: isUuid, reason: optional(isText) },
  PageMoved: { ...IMPORTED, from: isPathValue, to: isPathValue },
  PageDeleted: { ...IMPORTED, redirect: optional(isText) },
  PageUndeleted: { path: isPathValue },
  BlobAttached: {
    ...{ name: isKey, sizeBytes: isSize, mediaType: isText },
    ...{
      sha256: value => typeof value === 'string' && SHA256.test(value),
      category: oneOf('public', 'private'),
    },
  },
  BlobDetached: { name: isKey },
  RoleAssigned: { role: isWord },
  RoleDeassigned: { role: isWord },
  CredentialSet: CREDENTIAL,
  CredentialRemoved: CREDENTIAL,
  RolePermitted: GRANT,
  RoleDenied: GRANT,
  SettingChanged: { key: isWord, value: isAny },
  Erased: {
    revisions: value => Array.isArray(value) && value.every(isRevision),
    whole: optional(isTrue),
    standIns: value => Array.isArray(value) && value.every(isStandIn),
  },
}

/**
 * What of a payload is not as its type has it, as a JSON pointer; null when nothing is. A log is written by rm3 alone, a backup by whoever has
 * an editor.
 */
export function payloadFault(type: string, data: JsonObject): string | null {
  for (const [member, check] of Object.entries(SHAPES[type] ?? {})) {
    const value = Object.hasOwn(data, member) ? data[member] : undefined
    if (!check(value)) return `/data/${member}`
  }
  if (isRevision(data['erased']) && isWord(data['proto'])) return null
  const hasDocument = Object.hasOwn(data, 'document')
  if (type === 'PageCreated' && !hasDocument) return '/data/document'
  if (type === 'PageRevised' && !hasDocument && !isPatch(data['patch'])) return '/data/patch'
  return hasDocument && !isDocument(data['document']) ? '/data/document' : null
}

/** Whether what patches made of a document still is one, and no larger than a record may be. */
export function isSoundTip(entity: Pick<Entity, 'tip' | 'keyframe' | 'revision'>): boolean {
  const { tip } = entity
  if (!isObject(tip) || isGrown(entity)) return false
  const { proto, hidden, summary, data, tags, ...others } = tip as JsonObject
  const hasParts = isObject(summary) && isObject(data) && isObject(tags)
  return (
    isText(proto) &&
    typeof hidden === 'boolean' &&
    hasParts &&
    Object.keys(others).length === 0 &&
    isSegmented(tip as JsonObject)
  )
}

/** Looked at when much was added, and from time to time: a patch adds no more than it is long, but there may be very many. */
function isGrown({ tip, keyframe, revision }: Pick<Entity, 'tip' | 'keyframe' | 'revision'>) {
  const isDue = keyframe.revision === revision || keyframe.bytesSince > KEYFRAME_BYTES
  return isDue && roughBytes(tip) > DOCUMENT_BYTES_MAX
}

function isDocument(value: Json | undefined): boolean {
  return isTakenBy(() => checkImportedDocument(value))
}

function isTakenBy(check: () => unknown): boolean {
  try {
    check()
    return true
  } catch (thrown) {
    if (isRm3Error(thrown)) return false
    throw thrown
  }
}
