import type { JsonObject } from '../../codec/json.ts'
import { ROOT, SETTINGS_STREAM } from '../../content/events.ts'
import { evolve } from '../../content/evolve.ts'
import { asRead, standInsOf } from '../../content/stand-ins.ts'
import type { State } from '../../content/state.ts'
import { EVENT_VERSIONS, upcast } from '../../content/upcast.ts'
import { isRm3Error } from '../../errors.ts'
import type { ProvableEvent } from '../../log/copy-history.ts'
import { newSalt } from '../../log/event.ts'
import { linked } from '../part-log.ts'
import { payloadFault } from './check-payload.ts'
import { damaged, type EditedBackup, type EditedFile, type EditedItem } from './edited-files.ts'
import { ownChanges } from './edited-records.ts'
import { CATALOG } from './format.ts'
import { bodyHashOf } from './item.ts'

/** What was found to be other than it was written. */
export interface Difference {
  readonly file: string
  /** `record`: it says something else, which becomes a new event; `event`: one in the history says something else; `ignored`: what follows from the history and cannot be edited. */
  readonly what: 'added' | 'removed' | 'record' | 'event' | 'ignored'
  readonly place: string
}

/** The log that an edited backup makes. */
export interface EditedLog {
  readonly events: readonly ProvableEvent[]
  readonly differences: readonly Difference[]
}

/** An event that nobody recorded yet. */
export type Made = Pick<ProvableEvent, 'stream' | 'type' | 'eventId'> &
  Partial<Pick<ProvableEvent, 'at' | 'actor'>> & { readonly data: object }

/** The setting that says since when, and of what, a log is a new one. */
export const RESTARTED = 'log.restarted'

export interface Editing {
  readonly now: string
  readonly newId: () => string
}

/**
 * Makes one log of the files of an edited backup: what is in the histories, in the order of positions; then what the records say more than
 * these; then an event that says so. Positions are given anew, so that there is no gap, and the chain begins anew.
 *
 * @throws BACKUP_DAMAGED naming the file and event that cannot follow the one before
 */
export function editedLog(backup: EditedBackup, editing: Editing): EditedLog {
  const differences: Difference[] = backup.removed.map(file => ({
    file,
    what: 'removed',
    place: '',
  }))
  const kept: ProvableEvent[] = []
  const made: Made[] = []
  for (const file of withOwnIds(backup.files, editing)) {
    const { events, state } = foldFile(file, differences)
    kept.push(...events)
    const changes = ownChanges(file, state, { ...editing, blobs: backup.blobs })
    differences.push(...changes.differences)
    made.push(...changes.made)
  }
  kept.sort((one, other) => one.position - other.position)
  demandOnePath(backup.files)
  const revisions = new Map<string, number>()
  for (const { stream } of kept) revisions.set(stream, (revisions.get(stream) ?? 0) + 1)
  const isEdited = differences.length > 0
  const last = isEdited ? [restarted(backup, differences, editing)] : []
  const more = [...made, ...last].map(event => recorded(event, revisions, editing))
  return { events: linked([...kept, ...more]), differences }
}

function demandOnePath(files: readonly EditedFile[]): void {
  const live = new Map<unknown, string>()
  for (const { name, kind, record } of files) {
    if (kind !== 'entity' || (record['state'] ?? 'live') !== 'live') continue
    const other = live.get(record['path'])
    if (other !== undefined) throw damaged(name, `${other} is of a live page at the same path`)
    live.set(record['path'], name)
  }
}

/** A file that is a copy of another has the ids of another: it gets its own. */
function withOwnIds(files: readonly EditedFile[], { newId }: Editing): EditedFile[] {
  const taken = new Set(files.filter(({ did }) => did !== 'added').map(({ stream }) => stream))
  const ids = new Set(
    files.flatMap(({ did, history }) =>
      did === 'added' ? [] : (history ?? []).map(({ event }) => event.eventId),
    ),
  )
  return files.map(file => {
    if (file.did !== 'added') return file
    const stream = file.stream === '' || taken.has(file.stream) ? newId() : file.stream
    taken.add(stream)
    const history = file.history?.map(item => withOwnId(item, stream, ids, newId)) ?? null
    return { ...file, stream, history }
  })
}

function withOwnId(
  item: EditedItem,
  stream: string,
  ids: Set<string>,
  newId: () => string,
): EditedItem {
  const eventId = ids.has(item.event.eventId) ? newId() : item.event.eventId
  ids.add(eventId)
  return { ...item, event: { ...item.event, stream, eventId } }
}

interface FoldedFile {
  readonly events: ProvableEvent[]
  readonly state: State | null
}

/** The events of a file with revisions that follow one another, and what they come to. */
function foldFile(file: EditedFile, differences: Difference[]): FoldedFile {
  const { name, history, did } = file
  if (did === 'added') differences.push({ file: name, what: 'added', place: '' })
  const events: ProvableEvent[] = []
  let state: State | null = null
  const standIns = standInsOf((history ?? []).map(({ event }) => event))
  for (const [index, { event, isSame }] of (history ?? []).entries()) {
    const place = `/history/${index}`
    const isMoved = event.revision !== index + 1
    if ((!isSame || isMoved) && did === 'changed')
      differences.push({ file: name, what: 'event', place })
    const placed = { ...event, revision: index + 1 }
    state = folded(state, asRead(placed, standIns), `${name}${place}`)
    events.push(placed)
  }
  return { events, state }
}

function folded(before: State | null, event: ProvableEvent, place: string): State {
  const known: number | undefined = (EVENT_VERSIONS as Record<string, number>)[event.type]
  const wrong = known === undefined ? '/type' : faultIn(event)
  if (wrong !== null) throw damaged(place, `${wrong} is not as it should be`)
  try {
    return evolve(before, upcast(event))
  } catch (thrown) {
    if (!isRm3Error(thrown)) throw thrown
    throw damaged(place, thrown.message)
  }
}

function faultIn({ type, data }: ProvableEvent): string | null {
  return data === null ? null : payloadFault(type, JSON.parse(data))
}

function restarted(
  { catalog, removed }: EditedBackup,
  differences: readonly Difference[],
  { now, newId }: Editing,
): Made {
  const files = (what: Difference['what']) =>
    [...new Set(differences.filter(it => it.what === what).map(({ file }) => file))].slice(0, 100)
  const { position, chain, recordedAt } = catalog.head
  const value = {
    ...{ at: now, from: { position, chain, recordedAt }, removed: removed.slice(0, 100) },
    ...{ added: files('added'), records: files('record'), events: files('event') },
  }
  return {
    stream: SETTINGS_STREAM,
    type: 'SettingChanged',
    eventId: newId(),
    data: { key: RESTARTED, value },
  }
}

function recorded(made: Made, revisions: Map<string, number>, { now }: Editing): ProvableEvent {
  const wrong = payloadFault(made.type, made.data as JsonObject)
  if (wrong !== null)
    throw damaged(CATALOG, `${wrong} of what an edit makes (${made.type}) is not as it should be`)
  const revision = (revisions.get(made.stream) ?? 0) + 1
  revisions.set(made.stream, revision)
  const body = {
    note: 'edited in the backup',
    meta: JSON.stringify({ door: 'import', edited: true }),
    data: JSON.stringify(made.data),
  }
  const salt = newSalt().toString('hex')
  return {
    ...{ position: 0, stream: made.stream, revision, type: made.type, eventId: made.eventId },
    ...{ version: EVENT_VERSIONS[made.type as keyof typeof EVENT_VERSIONS] },
    ...{
      actor: made.actor ?? ROOT,
      at: made.at ?? now,
      recordedAt: now,
      ...body,
      salt,
      bodyHash: bodyHashOf(salt, body),
    },
    ...{ previous: '', chain: '' },
  }
}
