import { hashDocument, type JsonObject } from '../../codec/json.ts'
import { findFlag, findInstant, findText, isObject, isPath, objectAt, textAt } from './fields.ts'
import { isPlainName, readJsonFile, type SourceFolder } from './files.ts'
import { refuse, type Spot, spotIn, spotOf, warn } from './findings.ts'

/** A page's files as the catalog lists them. */
export interface CatalogEntry {
  readonly path: string
  readonly main: string
  readonly blobs: readonly CatalogBlob[]
}

/** One blob of one revision. `file` is a plain name in the backup's folder. */
export interface CatalogBlob {
  readonly spot: Spot
  readonly file: string
  readonly blobPath: string
  readonly revisionId: string
  readonly category: 'public' | 'private'
  readonly original: JsonObject
}

/** What `catalog.json` says. `identity` is a hash of all of it. */
export interface Catalog {
  readonly version: string
  readonly dumpedAt: string
  readonly identity: string
  readonly entries: readonly CatalogEntry[]
  readonly permissions: string
  readonly credentials: string
}

const CATALOG = 'catalog.json'
const SPECIAL = new Set(['_permissions', '_credentials', '_dump_date', '_dump_version'])
const VERSION = /^0\.\d{1,4}\.\d{1,4}(?:[-+][\w.+-]{1,64})?$/
const BLOB_PATH_CHARS_MAX = 255
/** A backup cannot come from further ahead than clocks and time zones differ. */
const AHEAD_MS_MAX = 48 * 3_600_000

/**
 * The catalog of a backup's folder, held against the files that are there.
 *
 * @returns undefined when it cannot be used at all; what is wrong is among the folder's findings
 */
export async function readCatalog(
  folder: SourceFolder,
  nowMs: number,
): Promise<Catalog | undefined> {
  const value = await readJsonFile(folder, CATALOG)
  if (value === undefined) return undefined
  const spot = spotOf(CATALOG, value, folder.findings)
  const listed = objectAt(spot)
  const entries: CatalogEntry[] = []
  for (const key of Object.keys(listed)) {
    if (key.startsWith('_')) checkSpecial(spot, key)
    else entries.push(readEntry(spotIn(spot, key), key))
  }
  const catalog: Catalog = {
    version: readVersion(spotIn(spot, '_dump_version')),
    dumpedAt: readDumpDate(spotIn(spot, '_dump_date'), nowMs),
    identity: hashDocument(value),
    entries,
    permissions: readName(spotIn(spot, '_permissions')),
    credentials: readName(spotIn(spot, '_credentials')),
  }
  if (entries.length === 0) refuse(spot, 'empty', 'the catalog lists no page')
  checkFiles(catalog, folder)
  return catalog
}

/** The version at `spot`; only those of rm3 0.x are read here. */
export function readVersion(spot: Spot): string {
  const version = textAt(spot)
  if (version && !VERSION.test(version))
    refuse(spot, 'version', `rm3 0.x is expected, not ${version.slice(0, 32)}`)
  return version
}

/** When the backup was made, at `spot`; '' when it is wrong. */
export function readDumpDate(spot: Spot, nowMs: number): string {
  const instant = findInstant(spot)
  if (instant === null) {
    if (spot.value === undefined || spot.value === null)
      refuse(spot, 'missing', 'the date is missing')
    return ''
  }
  if (Date.parse(instant) > nowMs + AHEAD_MS_MAX)
    refuse(spot, 'time', 'the backup claims to be made in the future')
  return instant
}

function checkSpecial(catalog: Spot, key: string): void {
  if (SPECIAL.has(key)) return
  warn(spotIn(catalog, key), 'unknown-key', 'not a key that rm3 0.x writes; it is not kept')
}

function readEntry(spot: Spot, path: string): CatalogEntry {
  if (!isPath(path)) refuse(spot, 'path', 'this is not a path')
  objectAt(spot)
  const main = readName(spotIn(spot, 'main'))
  if (main && main !== `${path}-data.json`)
    refuse(spotIn(spot, 'main'), 'name', `${path}-data.json is expected`)
  const blobs = spotIn(spot, 'blobs')
  const listed = blobs.value === undefined || blobs.value === null ? {} : objectAt(blobs)
  return { path, main, blobs: Object.keys(listed).map(file => readBlob(spotIn(blobs, file), file)) }
}

function readBlob(spot: Spot, file: string): CatalogBlob {
  if (!isPlainName(file)) refuse(spot, 'name', 'this is not a plain file name')
  const original = objectAt(spot)
  const entityPath = textAt(spotIn(spot, 'entityPath'))
  const blobPath = textAt(spotIn(spot, 'blobPath'))
  if (blobPath && (!isPlainName(blobPath) || blobPath.length > BLOB_PATH_CHARS_MAX))
    refuse(spotIn(spot, 'blobPath'), 'name', 'this is not a plain file name')
  const revisionId = textAt(spotIn(spot, 'revisionId'))
  if (file !== `${entityPath}-${revisionId}-${blobPath}`)
    warn(spot, 'blob-name', 'the file is not named after its page, revision and blob')
  findText(spotIn(spot, 'provider'))
  findFlag(spotIn(spot, 'source'))
  findFlag(spotIn(spot, 'temporary'))
  const category = categoryAt(spotIn(spot, 'category'))
  return { spot, file, blobPath, revisionId: revisionId.toLowerCase(), category, original }
}

function categoryAt(spot: Spot): 'public' | 'private' {
  const category = findText(spot)
  if (category === 'public' || category === 'private') return category
  warn(spot, 'category', 'neither public nor private; private is taken')
  return 'private'
}

function readName(spot: Spot): string {
  const name = textAt(spot)
  if (name === '' || isPlainName(name)) return name
  refuse(spot, 'name', 'this is not a plain file name')
  return ''
}

/** Each file once in the catalog, and nothing beside it. Whether listed files are there shows when they are read. */
function checkFiles(catalog: Catalog, folder: SourceFolder): void {
  const known = new Set([CATALOG])
  const spot = spotOf(CATALOG, undefined, folder.findings)
  const names = [catalog.permissions, catalog.credentials]
  for (const entry of catalog.entries) names.push(entry.main, ...entry.blobs.map(blob => blob.file))
  for (const name of names) {
    if (name !== '' && known.has(name)) refuse(spot, 'listed-twice', `${name} is listed twice`)
    known.add(name)
  }
  for (const name of folder.names) {
    if (!known.has(name))
      refuse(spotOf(name, undefined, folder.findings), 'extra-file', 'the catalog has no such file')
  }
}

/** Whether a blob's own description is an object; the type guard for `original.details`. */
export function detailsOf(blob: CatalogBlob): JsonObject {
  const { details } = blob.original
  return isObject(details) ? details : {}
}
