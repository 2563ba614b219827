import { type StandIns, standInsOf } from '../../content/stand-ins.ts'
import type { Grants, Settings, State } from '../../content/state.ts'
import { compareRecord, type Folded, HistoryCheck } from './check-history.ts'
import { CompactSet } from './compact-set.ts'
import { type CatalogHead, entityFileName, type FileEntry, streamOf } from './format.ts'
import type { PositionIndex } from './position-index.ts'
import { readCredentials } from './read-credentials.ts'
import {
  demandSize,
  hashOfFile,
  objectIn,
  type PlacedEvent,
  readHistory,
  readText,
} from './read-history.ts'
import { recordOf } from './record.ts'
import { eventsOfRecord } from './records-plan.ts'
import { FileFault } from './rules.ts'
import { blobOf, Tally } from './tally.ts'
import { grantsRecord, settingsRecord } from './write-streams.ts'

/** What is gathered while files are looked at one by one. */
export interface Gathered {
  readonly head: CatalogHead
  readonly tally: Tally
  /** Of a subtree or a snapshot there is no whole log to prove. */
  readonly index: PositionIndex | null
  readonly ids: CompactSet
  readonly livePaths: CompactSet
  /** Hashes of the blobs that are there. */
  readonly blobs: CompactSet
  readonly secrets: { credential: string; file: string; line: number }[]
  /** Whether a history could not be read: which page is the first to have a blob is not known then. */
  isLacking: boolean
}

export function newGathered(head: CatalogHead, index: PositionIndex | null): Gathered {
  return {
    ...{ head, index, tally: new Tally(), secrets: [], isLacking: false },
    ...{ ids: new CompactSet(), livePaths: new CompactSet(), blobs: new CompactSet() },
  }
}

/** Looks at a file without reading it. @throws FileFault file-size, file-not-regular, file-unreadable; file-name of a blob */
export function verifySize(dir: string, entry: FileEntry, gathered: Gathered): void {
  demandSize(dir, entry)
  if (entry.kind === 'blob') verifyBlob(entry, gathered)
}

/** Proves one file: its bytes, then what is in it. @throws FileFault with the first thing that is wrong */
export function verifyFile(dir: string, entry: FileEntry, gathered: Gathered): void {
  const sha256 = hashOfFile(dir, entry)
  if (sha256 !== entry.sha256) {
    throw new FileFault('file-hash', 'its bytes are not those that were written')
  }
  switch (entry.kind) {
    case 'blob':
      verifyBlob(entry, gathered)
      return
    case 'credentials':
      verifyCredentials(dir, entry, gathered)
      return
    default:
      if (gathered.head.contents === 'history') verifyHistory(dir, entry, gathered)
      else verifyRecord(dir, entry, gathered)
  }
}

function verifyBlob({ name, sha256, sizeBytes }: FileEntry, gathered: Gathered): void {
  const { blobs, tally, isLacking } = gathered
  const { file = name } = tally.blobs.get(sha256) ?? {}
  if (name !== file && !isLacking) throw new FileFault('file-name', `this file is called ${file}`)
  blobs.add(sha256)
  tally.counts.blobs++
  tally.counts.blobBytes += sizeBytes
}

/** Each belongs to an event: more of them than that are not looked at. */
function verifyCredentials(dir: string, { name }: FileEntry, { head, secrets }: Gathered): void {
  for (const { credential, line } of readCredentials(dir)) {
    if (secrets.length >= head.position) {
      throw new FileFault(
        'credential-unknown',
        'there are more secrets than events',
        `line ${line}`,
      )
    }
    secrets.push({ credential, line, file: name })
  }
}

function verifyHistory(dir: string, entry: FileEntry, gathered: Gathered): void {
  const { tally, index, ids } = gathered
  const stream = streamOf(entry)
  const check = new HistoryCheck({ tally, path: entry.path ?? '' }, () =>
    standInsIn(dir, entry.name, stream),
  )
  const events = readHistory(dir, entry.name, stream)
  let next = events.next()
  while (!next.done) {
    for (const placed of next.value) {
      const { event, line } = placed
      const place = `line ${line}`
      check.add(event, place)
      if (!ids.add(event.eventId)) {
        throw new FileFault('id-twice', `another event has the id ${event.eventId}`, place)
      }
      if (event.position > gathered.head.position || index?.add(event) === false) {
        const text = `position ${event.position} is behind the end of the backup`
        throw new FileFault('chain-end', text, place)
      }
    }
    next = events.next()
  }
  const folded = check.end()
  demandEvents(entry, folded)
  const { blobs, ...record } = recordOfState(entry, folded, tally)
  const isOfBlobs = blobs !== undefined && !gathered.isLacking
  compareRecord(next.value, isOfBlobs ? { ...record, blobs } : record)
  gather(entry, folded.state, gathered)
  if (folded.state !== null) {
    tally.add(folded.state, { events: folded.positions.length, erased: folded.erased })
  }
}

/** Reads the file once more: whoever erased comes after what he erased. */
function standInsIn(dir: string, name: string, stream: string): StandIns {
  const erasures: PlacedEvent['event'][] = []
  for (const placed of readHistory(dir, name, stream)) {
    for (const { event } of placed) if (event.type === 'Erased') erasures.push(event)
  }
  try {
    return standInsOf(erasures)
  } catch (thrown) {
    throw new FileFault('event-shape', `an erasure is not as it should be: ${String(thrown)}`)
  }
}

function demandEvents({ kind, events }: FileEntry, { positions }: Folded): void {
  if (positions.length !== events) {
    const text = `it has ${positions.length} events, the catalog says ${events ?? 'not how many'}`
    throw new FileFault('count-differs', text)
  }
  if (kind === 'entity' && events === 0) {
    throw new FileFault('history-shape', 'an entity has at least one event')
  }
}

function recordOfState({ kind }: FileEntry, { state, positions }: Folded, tally: Tally) {
  if (kind === 'permissions') return grantsRecord(state as Grants | null)
  if (kind === 'settings') return settingsRecord(state as Settings | null)
  if (state?.kind !== 'entity') throw new FileFault('history-shape', 'it is of no entity')
  const at = (revision: number) => positions[revision - 1] ?? 0
  return recordOf(state, { positions: { at }, blobs: tally.blobs })
}

function gather(entry: FileEntry, state: State | null, { ids, livePaths }: Gathered): void {
  if (state?.kind !== 'entity') return
  if (entry.path !== state.path || entry.state !== state.state) {
    throw new FileFault('record-differs', 'the catalog says another path or state of it')
  }
  if (entry.name !== entityFileName(state)) {
    throw new FileFault('file-name', `a file of this page is called ${entityFileName(state)}`)
  }
  if (!ids.add(`entity ${state.id}`)) {
    throw new FileFault('id-twice', `another file is of the entity ${state.id}`)
  }
  if (state.state === 'live' && !livePaths.add(state.path)) {
    throw new FileFault('path-twice', `another page is live at ${state.path}`)
  }
}

/** Of a snapshot only the shape can be proved: that it can be loaded. */
function verifyRecord(dir: string, entry: FileEntry, gathered: Gathered): void {
  const { head, ids, livePaths, tally } = gathered
  const record = objectIn(readText(dir, entry.name))
  for (const { type, data, eventId } of eventsOfRecord(record, entry, head.recordedAt ?? '')) {
    if (!ids.add(eventId)) throw new FileFault('id-twice', `another record has the id ${eventId}`)
    const blob = blobOf(type, data)
    if (blob !== null) tally.addBlob(blob, entry.path ?? '')
  }
  if (entry.kind !== 'entity') return
  const { entityId, path, state } = record
  if (entityId !== entry.entityId || path !== entry.path || state !== entry.state) {
    throw new FileFault('record-differs', 'the catalog says another id, path or state of it')
  }
  if (!ids.add(`entity ${entityId}`)) {
    throw new FileFault('id-twice', `another file is of the entity ${entityId}`)
  }
  if (state === 'live' && !livePaths.add(String(path))) {
    throw new FileFault('path-twice', `another page is live at ${path}`)
  }
}
