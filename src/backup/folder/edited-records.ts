import { canonicalJson, hashDocument, type Json, type JsonObject } from '../../codec/json.ts'
import { contentOf } from '../../content/decide-page.ts'
import { documentOf } from '../../content/document.ts'
import { ROOT } from '../../content/events.ts'
import { isPath } from '../../content/path.ts'
import type { Entity, Grants, Settings, State } from '../../content/state.ts'
import { damaged, type EditedBackup, type EditedFile } from './edited-files.ts'
import type { Difference, Editing, Made } from './edited-log.ts'
import { recordOf } from './record.ts'
import { documentIn, eventsOfRecord } from './records-plan.ts'
import { FileFault } from './rules.ts'
import { grantsRecord, settingsRecord } from './write-streams.ts'

/** What a record says more than its history, as events, and everything in it that is other than the history says. */
export interface OwnChanges {
  readonly made: readonly Made[]
  readonly differences: readonly Difference[]
}

type EditingRecords = Editing & Pick<EditedBackup, 'blobs'>

const NOTHING: OwnChanges = { made: [], differences: [] }
/** Members of a record that an editor may change: the rest follows from the history. */
const EDITABLE = new Set(['path', 'proto', 'hidden', 'summary', 'data', 'tags'])

/**
 * What the record of a file has that its history does not lead to.
 *
 * @throws BACKUP_DAMAGED when it cannot be brought about
 */
export function ownChanges(
  file: EditedFile,
  state: State | null,
  editing: EditingRecords,
): OwnChanges {
  if (file.did === 'same' && file.history !== null) return NOTHING
  try {
    if (file.kind === 'permissions') return grantChanges(file, state as Grants | null, editing)
    if (file.kind === 'settings') return settingChanges(file, state as Settings | null, editing)
    return state === null ? created(file, editing) : pageChanges(file, state as Entity, editing)
  } catch (thrown) {
    if (!(thrown instanceof FileFault)) throw thrown
    throw damaged(file.name, `${thrown.place} ${thrown.message}`)
  }
}

/** A page of which only the record is there. What whoever wrote it left out is made up. */
function created({ name, record, stream, did }: EditedFile, { newId, now }: Editing): OwnChanges {
  const { path, revisionId } = record
  if (!isPath(path)) throw damaged(name, 'its path is none')
  const whole = {
    ...{ author: ROOT, touched: now, created: now, modified: now, revisionNum: 1 },
    ...{ roles: [], credentials: [], blobs: [], ...record, entityId: stream },
    revisionId: did === 'added' || revisionId === undefined ? newId() : revisionId,
  }
  const entry = { name, kind: 'entity', sizeBytes: 0, sha256: '' } as const
  return { made: eventsOfRecord(whole, entry, now), differences: [] }
}

function pageChanges(
  { name, record, did }: EditedFile,
  entity: Entity,
  { newId, blobs }: EditingRecords,
): OwnChanges {
  const computed = recordOf(entity, { positions: { at: () => 0 }, blobs })
  const differences = differencesOf(name, record, computed, did)
  const made: Made[] = []
  const { path } = record
  if (path !== entity.path) {
    if (!isPath(path)) throw damaged(name, 'its path is none')
    if (entity.state === 'deleted') throw damaged(name, 'what is deleted cannot be moved')
    const data = { from: entity.path, to: path }
    made.push({ stream: entity.id, type: 'PageMoved', eventId: newId(), data })
  }
  const document = documentIn(record)
  const shown = documentOf(entity.live?.document ?? entity.tip)
  if (hashDocument(document) !== hashDocument(shown)) {
    if (entity.state === 'deleted') throw damaged(name, 'what is deleted cannot be revised')
    const base = entity.live?.revision ?? entity.tipRevision
    const draft = entity.live === null && { draft: true }
    const data = { base, ...contentOf(entity.tip, document), ...draft }
    made.push({ stream: entity.id, type: 'PageRevised', eventId: newId(), data })
  }
  return { made, differences }
}

function differencesOf(
  file: string,
  record: JsonObject,
  computed: JsonObject,
  did: EditedFile['did'],
): Difference[] {
  if (did === 'added') return []
  return Object.keys(computed).flatMap(member => {
    if (member === 'position' || isEqual(record[member], computed[member])) return []
    const what = EDITABLE.has(member) ? 'record' : 'ignored'
    return [{ file, what, place: `/${member}` } as const]
  })
}

function grantChanges(
  { name, record, stream }: EditedFile,
  state: Grants | null,
  editing: Editing,
): OwnChanges {
  const before = listIn(grantsRecord(state), 'permits')
  const after = listIn(record, 'permits')
  const tell =
    (type: string) =>
    ({ role, permission, path: pattern }: JsonObject): Made => {
      const data = { role, permission, pattern }
      return { stream, type, eventId: editing.newId(), data }
    }
  const made = [
    ...without(before, after).map(tell('RoleDenied')),
    ...without(after, before).map(tell('RolePermitted')),
  ]
  return told(name, '/permits', made)
}

function settingChanges(
  { name, record, stream }: EditedFile,
  state: Settings | null,
  editing: Editing,
): OwnChanges {
  const before = listIn(settingsRecord(state), 'settings')
  const after = listIn(record, 'settings')
  const gone = before.filter(({ key }) => !after.some(item => item['key'] === key))
  const changed = [
    ...without(after, before),
    ...gone.map(({ key = null }) => ({ key, value: null })),
  ]
  const made = changed.map((data): Made => {
    return { stream, type: 'SettingChanged', eventId: editing.newId(), data }
  })
  return told(name, '/settings', made)
}

function told(file: string, place: string, made: readonly Made[]): OwnChanges {
  return { made, differences: made.length === 0 ? [] : [{ file, what: 'record', place }] }
}

function listIn(record: JsonObject, member: string): JsonObject[] {
  const list = record[member]
  if (Array.isArray(list)) return list as JsonObject[]
  throw new FileFault('record-shape', 'is no list', `/${member}`)
}

function without(items: readonly JsonObject[], others: readonly JsonObject[]): JsonObject[] {
  return items.filter(item => !others.some(other => isEqual(item, other)))
}

function isEqual(one: Json | undefined, other: Json | undefined): boolean {
  return canonicalJson(one ?? null) === canonicalJson(other ?? null)
}
