import type { ImportedAppend, ImportedEvent, ImportedSecret } from '../../commands/import.ts'
import { isUnder } from '../../content/path.ts'
import { asRead, standInsOf } from '../../content/stand-ins.ts'
import { upcast } from '../../content/upcast.ts'
import { Rm3Error } from '../../errors.ts'
import type { ProvableEvent } from '../../log/copy-history.ts'
import { snapshotOf } from '../snapshot.ts'
import type { FileEntry } from './format.ts'
import { filesOf, historyOf, secretsIn } from './load.ts'
import { recordsPlan } from './records-plan.ts'
import type { FolderProof } from './verify.ts'

/** What of a backup shall be loaded as new events of this site, with what is kept beside them. */
export interface FolderPlan {
  readonly appends: readonly ImportedAppend[]
  readonly secrets: readonly ImportedSecret[]
  /** Files of the backup that hold blobs, by what they are for. */
  readonly blobs: readonly BlobFile[]
}

export interface BlobFile {
  readonly sha256: string
  readonly file: string
  readonly category: 'public' | 'private'
}

/** Which part of a backup. */
export interface Part {
  /** Only what ends at that path or below it; the site's grants and settings do not. */
  readonly path: string | null
  /** Without the past: each page as one event. */
  readonly present: boolean
}

/**
 * A part of a backup as events in the order in which they happened, with their ids, authors and times, and as they are read: what was erased
 * is told as erased. They are held in memory.
 *
 * @param proof of the backup in `dir`, which must be whole
 * @throws PAGE_NOT_FOUND when there is nothing at the path
 */
export function planOfFolder(dir: string, { head }: FolderProof, part: Part): FolderPlan {
  const files = filesOfPart(dir, part.path)
  const isSnapshot = head?.contents === 'snapshot'
  const appends = isSnapshot ? recordsPlan(dir, files, head.recordedAt) : appendsOf(dir, files)
  return withBeside(dir, part.present && !isSnapshot ? snapshotOf(appends) : appends)
}

/**
 * The files of a backup that tell of what ends at a path or below it; with null of everything.
 *
 * @throws PAGE_NOT_FOUND when there is nothing at the path
 */
export function filesOfPart(dir: string, path: string | null): FileEntry[] {
  const files = [...filesOf(dir)].filter(file => isWanted(file, path))
  if (path === null || files.length > 0) return files
  throw new Rm3Error('PAGE_NOT_FOUND', `the backup has nothing at or below ${path}`, { path })
}

function isWanted({ kind, path: at = '' }: FileEntry, path: string | null): boolean {
  if (kind === 'blob' || kind === 'credentials') return false
  return path === null || (kind === 'entity' && isUnder(at, path))
}

function appendsOf(dir: string, files: readonly FileEntry[]): ImportedAppend[] {
  const events = files.flatMap(file => readEventsOf(dir, file))
  events.sort((one, other) => one.position - other.position)
  return events.map(event => ({ recordedAt: event.recordedAt, events: [importedOf(event)] }))
}

/** The events of a file, those that were emptied as they are read. */
function readEventsOf(dir: string, file: FileEntry): ProvableEvent[] {
  const events = [...historyOf(dir, file)].flat()
  const standIns = standInsOf(events)
  return events.map(event => asRead(event, standIns))
}

/** An event as a site takes it that is not the one it happened on. */
export function importedOf(event: ProvableEvent): ImportedEvent {
  const { type, stream, data, eventId, actor, at, note } = upcast(event)
  const meta = JSON.parse(event.meta ?? '{}') as object
  return { type, stream, data, eventId, actor, at, note, meta } as ImportedEvent
}

/** Secrets and files that the events speak of. */
export function withBeside(dir: string, appends: readonly ImportedAppend[]): FolderPlan {
  const kept = new Set<string>()
  const blobs = new Map<string, BlobFile>()
  const files = new Map<string, string>()
  for (const { kind, name, sha256 } of filesOf(dir)) if (kind === 'blob') files.set(sha256, name)
  for (const { type, data } of appends.flatMap(append => append.events)) {
    if (type === 'CredentialSet') kept.add(data.credential)
    if (type !== 'BlobAttached') continue
    const { sha256, category } = data
    const file = files.get(sha256)
    if (file !== undefined) blobs.set(`${category} ${sha256}`, { sha256, file, category })
  }
  return {
    appends,
    secrets: secretsIn(dir).filter(({ credential }) => kept.has(credential)),
    blobs: [...blobs.values()],
  }
}
