/**
 * The directory format of backups, version 1.0: docs/reference/backup-format.md says it in words.
 *
 * A file is written by lines, so that it can be read piece by piece: of the catalog one line to a file, of a history one to an event.
 */
import type { Erasure } from '../../commands/erasures.ts'
import { GRANTS_STREAM, SETTINGS_STREAM } from '../../content/events.ts'
import type { Entity } from '../../content/state.ts'

export const FORMAT = 'rm3'
/** The first number grows when an older rm3 can no longer read what is written. */
export const FORMAT_VERSION = '1.0'
export const FORMAT_MAJOR = 1

export const CATALOG = 'catalog.json'
/** The catalog while it grows; what has one is no backup yet. */
export const CATALOG_PARTIAL = 'catalog.json.partial'
export const PERMISSIONS = 'permissions.json'
export const SETTINGS = 'settings.json'
export const CREDENTIALS = 'credentials.json'
export const DATA_SUFFIX = '-data.json'

/** Before the first line of a history, and after its last. */
export const HISTORY_BEGINS = '  "history": ['
export const HISTORY_ENDS = '  ]'

export type FileKind = 'entity' | 'permissions' | 'settings' | 'credentials' | 'blob'

/** What the catalog says of a file. */
export interface FileEntry {
  readonly name: string
  readonly kind: FileKind
  readonly sizeBytes: number
  /** 64 digits. */
  readonly sha256: string
  /** Events in its history; of credentials and blobs none. */
  readonly events?: number
  /** Of an entity. */
  readonly entityId?: string
  readonly path?: string
  readonly state?: Entity['state']
}

/** The first lines of a catalog: what the backup is of. */
export interface CatalogHead {
  readonly format: string
  readonly version: string
  /** With all of the past, or only the present. */
  readonly contents: 'history' | 'snapshot'
  /** The subtree that was asked for; null is the whole site. */
  readonly path: string | null
  readonly position: number
  /** Chain value at that position, 64 digits. */
  readonly chain: string
  /** When the log took it; null of an empty log. */
  readonly recordedAt: string | null
}

/** How many of each there are. */
export interface Counts {
  entities: number
  live: number
  drafts: number
  deleted: number
  events: number
  /** Events whose payload was erased. */
  erased: number
  grants: number
  settings: number
  roles: number
  credentials: number
  scheduled: number
  blobs: number
  blobBytes: number
}

/** A publication that lies ahead. */
export interface ScheduledEntry {
  readonly entityId: string
  readonly path: string
  readonly schedule: string
  readonly revisionId: string
  readonly at: string
}

/** The last lines of a catalog, but for `run`. */
export interface CatalogTail {
  /** SHA-256 of blobs whose bytes were not in the store; [] unless the operator allowed it. */
  readonly missingBlobs: readonly string[]
  readonly scheduled: readonly ScheduledEntry[]
  readonly erasures: readonly Erasure[]
  /** Paths of those who wrote what is in the backup and are not in it themselves, by entity id. */
  readonly authors: Readonly<Record<string, string>>
  readonly counts: Counts
}

/** What two backups of the same position differ in. */
export interface Run {
  readonly program: string
  readonly site: string
  readonly epoch: string
  readonly startedAt: string
  readonly endedAt: string
  /** SHA-256 of the bytes of the catalog before these digits. */
  readonly checksum: string
}

export function noCounts(): Counts {
  return {
    ...{ entities: 0, live: 0, drafts: 0, deleted: 0, events: 0, erased: 0, grants: 0 },
    ...{ settings: 0, roles: 0, credentials: 0, scheduled: 0, blobs: 0, blobBytes: 0 },
  }
}

/** Longer paths are cut in names of files: a name has 255 bytes. */
const NAME_PATH_MAX = 180

/**
 * The file of an entity: `<path>-data.json` of a live page; where several entities may have the path, and where it is too long,
 * `<path>~<id>-data.json`. Paths are in lower case, so no two names differ only in that.
 */
export function entityFileName({ id, path, state }: Pick<Entity, 'id' | 'path' | 'state'>): string {
  const isPlain = state === 'live' && path.length <= NAME_PATH_MAX
  return `${isPlain ? path : `${path.slice(0, NAME_PATH_MAX)}~${id}`}${DATA_SUFFIX}`
}

const SUFFIX = /\.[A-Za-z0-9]{1,8}$/

/**
 * The file of a blob, beside those of the page that has it: `<path>-<sha256>` with the suffix of the name it has there, so that whatever
 * shows files knows what it is.
 */
export function blobFileName(sha256: string, at: { path: string; name: string }): string {
  const suffix = SUFFIX.exec(at.name)?.[0].toLowerCase() ?? ''
  return `${at.path.slice(0, NAME_PATH_MAX)}-${sha256}${suffix}`
}

/** How names of such files end. */
const BLOB_END = '-([0-9a-f]{64})(?:\\.[a-z0-9]{1,8})?$'
const BLOB_HASH = new RegExp(BLOB_END)

/** The SHA-256 of a file that `blobFileName` named; '' where it did not. */
export function hashOfBlobFile(file: string): string {
  return BLOB_HASH.exec(file)?.[1] ?? ''
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const NAME_PATH = `[a-z0-9][a-z0-9_.]{0,${NAME_PATH_MAX - 1}}`
const NAMES: Readonly<Record<FileKind, RegExp>> = {
  entity: new RegExp(`^${NAME_PATH}(?:~${UUID})?${DATA_SUFFIX}$`),
  permissions: /^permissions\.json$/,
  settings: /^settings\.json$/,
  credentials: /^credentials\.json$/,
  blob: new RegExp(`^${NAME_PATH}${BLOB_END}`),
}

/** Whether a file of that kind may have the name: none can be a way out of the folder. */
export function isFileName(kind: FileKind, name: string): boolean {
  return NAMES[kind].test(name)
}

/** Whether `value` is a kind of files. */
export function isFileKind(value: unknown): value is FileKind {
  return typeof value === 'string' && Object.hasOwn(NAMES, value)
}

/** Whose history a file has. */
export function streamOf({ kind, entityId }: FileEntry): string {
  if (kind === 'permissions') return GRANTS_STREAM
  if (kind === 'settings') return SETTINGS_STREAM
  return entityId ?? ''
}
