import { createHash } from 'node:crypto'
import { closeSync, readSync } from 'node:fs'
import { type Json, type JsonObject, parseJson } from '../../codec/json.ts'
import { isPath } from '../../content/path.ts'
import { isRm3Error } from '../../errors.ts'
import { isInstant } from '../../log/check-entry.ts'
import {
  CATALOG,
  type CatalogHead,
  type CatalogTail,
  type Counts,
  type FileEntry,
  FORMAT,
  FORMAT_MAJOR,
  isFileKind,
  noCounts,
  type Run,
} from './format.ts'
import { FileFault } from './rules.ts'
import { openFile, readLines, withFile } from './source-files.ts'

/** What a catalog says beside the files, its check sum being right. */
export interface Catalog {
  readonly head: CatalogHead
  readonly tail: CatalogTail
  readonly run: Run
  /** How many files it lists. */
  readonly files: number
}

const FILES_BEGIN = '"files":['
const FILES_END = '],'
const RUN_BEGINS = '"run":'
/** The check sum's digits, a quote and a bracket. */
const CHECKSUM_END = 66
const BEGINNING_BYTES = 4_096
const OURS = /^\s*\{\s*"format"\s*:\s*"rm3"/
/** Lines before and behind the files, and characters of them: what is beyond is no catalog. */
const OTHER_LINES_MAX = 100
const OTHER_CHARS_MAX = 16 * 1024 * 1024
const ENTRY_CHARS_MAX = 4_096

/** Whether a folder's catalog is one of this format, as far as its beginning tells; false when there is none. */
export function isBackupFolder(dir: string): boolean {
  try {
    return withFile(dir, CATALOG, ({ fd }) => {
      const bytes = Buffer.alloc(BEGINNING_BYTES)
      return OURS.test(bytes.toString('utf8', 0, readSync(fd, bytes)))
    })
  } catch (thrown) {
    if (thrown instanceof FileFault) return false
    throw thrown
  }
}

/**
 * Reads and checks what a catalog says beside the files.
 *
 * @throws FileFault catalog-missing, catalog-damaged, format-unknown, format-newer
 */
export function readCatalog(dir: string): Catalog {
  try {
    return read(dir)
  } catch (thrown) {
    if (!(thrown instanceof FileFault) || thrown.rule.startsWith('format-')) throw thrown
    if (thrown.rule === 'file-missing') throw new FileFault('catalog-missing', thrown.message)
    throw new FileFault('catalog-damaged', thrown.message, thrown.place)
  }
}

/** The files that a catalog lists, in its order, read line by line: there may be very many. The catalog has been read and is sound. */
export function* listFiles(dir: string): Iterable<FileEntry> {
  let number = 0
  let isInside = false
  for (const line of catalogLines(dir)) {
    number++
    if (isInside && line === FILES_END) return
    if (isInside) yield entryOf(line, number)
    if (line === FILES_BEGIN) isInside = true
  }
}

function* catalogLines(dir: string): Iterable<string> {
  const file = openFile(dir, CATALOG)
  try {
    for (const lines of readLines(file, OTHER_CHARS_MAX)) yield* lines
  } finally {
    closeSync(file.fd)
  }
}

function read(dir: string): Catalog {
  const sum = createHash('sha256')
  const before: string[] = []
  const behind: string[] = []
  let files = 0
  let run: string | null = null
  let chars = 0
  let isInside = false
  let isOver = false
  for (const line of catalogLines(dir)) {
    if (run !== null) {
      if (isOver || line !== '}') throw damaged('it goes on behind its last line')
      isOver = true
      continue
    }
    if (line.startsWith(RUN_BEGINS)) {
      sum.update(line.slice(0, -CHECKSUM_END))
      run = line
      continue
    }
    sum.update(`${line}\n`)
    if (isInside && line === FILES_END) isInside = false
    else if (isInside) {
      entryOf(line, before.length + ++files)
      continue
    } else if (line === FILES_BEGIN) isInside = true
    else (files === 0 ? before : behind).push(line)
    chars += line.length
    if (before.length + behind.length > OTHER_LINES_MAX || chars > OTHER_CHARS_MAX) {
      throw damaged('it has too many lines, or too long ones')
    }
    if (before.length === 3) demandFormat(before)
  }
  if (run === null || !isOver) throw damaged('it ends before its last line')
  return catalogOf({ before, behind, run, files, checksum: sum.digest('hex') })
}

interface Lines {
  readonly before: readonly string[]
  readonly behind: readonly string[]
  readonly run: string
  readonly files: number
  readonly checksum: string
}

function catalogOf({ before, behind, run, files, checksum }: Lines): Catalog {
  const head = objectOf(`${before.join('\n').replace(/,$/, '')}}`)
  const tail = objectOf(`{${behind.join('\n')}${run}}`)
  const told = tail['run'] as JsonObject | undefined
  if (told?.['checksum'] !== checksum || !run.endsWith(`"checksum":"${checksum}"}`)) {
    throw damaged('its check sum is not that of its lines')
  }
  return {
    head: headOf(head),
    tail: tailOf(tail),
    run: told as unknown as Run,
    files,
  }
}

/** Before anything else is understood: another format may be written otherwise. */
function demandFormat([, format = '', version = '']: readonly string[]): void {
  if (format !== `"format":"${FORMAT}",`) throw damaged('its second line does not name the format')
  const [, major, minor] = /^"version":"([1-9]\d{0,3}|0)\.([1-9]\d{0,3}|0)",$/.exec(version) ?? []
  if (minor === undefined) throw damaged('its third line does not name the version')
  if (Number(major) > FORMAT_MAJOR) {
    throw new FileFault(
      'format-newer',
      `it is of version ${major}.${minor}; this rm3 reads ${FORMAT_MAJOR}`,
    )
  }
  if (Number(major) < FORMAT_MAJOR) {
    throw new FileFault('format-unknown', `there is no version ${major}.${minor}`)
  }
}

const DIGITS_64 = /^[0-9a-f]{64}$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function headOf(head: JsonObject): CatalogHead {
  const { contents, path, position, chain, recordedAt } = head
  const isSound =
    (contents === 'history' || contents === 'snapshot') &&
    (path === null || isPath(path)) &&
    isCount(position) &&
    typeof chain === 'string' &&
    DIGITS_64.test(chain) &&
    (position === 0 ? recordedAt === null : isTime(recordedAt))
  if (!isSound) throw damaged('one of its first lines is not as it should be')
  return head as unknown as CatalogHead
}

function tailOf(tail: JsonObject): CatalogTail {
  const { missingBlobs, scheduled, erasures, authors, counts } = tail
  const isSound =
    Array.isArray(missingBlobs) &&
    missingBlobs.every(sha256 => typeof sha256 === 'string' && DIGITS_64.test(sha256)) &&
    Array.isArray(scheduled) &&
    Array.isArray(erasures) &&
    erasures.every(erasure => isObject(erasure) && typeof erasure['eventId'] === 'string') &&
    isObject(authors) &&
    isObject(counts) &&
    (Object.keys(noCounts()) as (keyof Counts)[]).every(key => isCount(counts[key]))
  if (!isSound) throw damaged('one of its last lines is not as it should be')
  return tail as unknown as CatalogTail
}

function entryOf(line: string, number: number): FileEntry {
  const place = `line ${number}`
  if (line.length > ENTRY_CHARS_MAX) throw damaged('the line is too long for one of a file', place)
  const entry = objectOf(line.replace(/,$/, ''), place)
  const { name, kind, sizeBytes, sha256, events, entityId, path, state } = entry
  const isOfEntity = typeof entityId === 'string' && isPath(path) && typeof state === 'string'
  const isSound =
    typeof name === 'string' &&
    isFileKind(kind) &&
    isCount(sizeBytes) &&
    typeof sha256 === 'string' &&
    DIGITS_64.test(sha256) &&
    (events === undefined || isCount(events)) &&
    (kind !== 'entity' || (isOfEntity && UUID.test(entityId)))
  if (!isSound) throw damaged('it does not tell of a file as it should', place)
  return entry as unknown as FileEntry
}

function objectOf(text: string, place = ''): JsonObject {
  try {
    const value = parseJson(text, '')
    if (isObject(value)) return value
  } catch (thrown) {
    if (!isRm3Error(thrown, 'JSON_INVALID')) throw thrown
  }
  throw damaged('it is not JSON as it should be', place)
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTime(value: Json | undefined): boolean {
  return typeof value === 'string' && isInstant(value)
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function damaged(message: string, place = ''): FileFault {
  return new FileFault('catalog-damaged', message, place)
}
