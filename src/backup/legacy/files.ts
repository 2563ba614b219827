import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Json, type JsonLimits, parseJson } from '../../codec/json.ts'
import { tokensOf } from '../../codec/pointer.ts'
import { isRm3Error, Rm3Error } from '../../errors.ts'
import { type Findings, refuse, spotOf } from './findings.ts'

/** One JSON file; a page's whole history is in one. */
export const DATA_BYTES_MAX = 64 * 1024 * 1024
/** All JSON files of a backup together: the plan is held in memory. */
export const DATA_BYTES_TOTAL_MAX = 512 * 1024 * 1024
/** One blob's file. */
export const BLOB_BYTES_MAX = 4 * 1024 * 1024 * 1024
const FILES_MAX = 1_000_000
const NAME_BYTES_MAX = 255
const CHUNK_BYTES = 1024 * 1024
const HEAD_BYTES = 4096

/** A document may be 64 deep; in a history it stands four levels down. */
export const LEGACY_JSON_LIMITS: JsonLimits = { depthMax: 72, itemsMax: 20_000_000 }

/** A backup's folder, opened. `dataBytes`: bytes of JSON read so far. */
export interface SourceFolder {
  readonly dir: string
  readonly names: ReadonlySet<string>
  readonly findings: Findings
  dataBytes: number
}

/** What a blob's file holds; `head` is its first bytes. */
export interface HashedFile {
  readonly sha256: string
  readonly sizeBytes: number
  readonly head: Buffer
}

/**
 * Lists a backup's folder.
 *
 * @throws SOURCE_NOT_FOUND when there is none, SOURCE_DAMAGED when it is not a folder
 */
export async function openFolder(dir: string, findings: Findings): Promise<SourceFolder> {
  const found = await stat(dir).catch(() => null)
  if (found === null) throw new Rm3Error('SOURCE_NOT_FOUND', `There is no folder ${dir}.`, { dir })
  if (!found.isDirectory())
    throw damaged(
      '.',
      'not-a-folder',
      `${dir} is not a folder; an archive is loaded with --archive, one page with -f`,
    )
  const names = new Set<string>()
  for await (const entry of await opendir(dir)) {
    if (names.size >= FILES_MAX)
      throw damaged('.', 'too-many-files', `more than ${FILES_MAX} files`)
    names.add(entry.name)
  }
  return { dir, names, findings, dataBytes: 0 }
}

/** Whether `name` can only be a file directly in a folder, on any system. */
export function isPlainName(name: string): boolean {
  if (name === '' || name === '.' || name === '..') return false
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) return false
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return !/[/\\:\u0000-\u001f\u007f]/.test(name)
}

/** The JSON in a file, or undefined when it was refused (that is noted then). */
export async function readJsonFile(folder: SourceFolder, name: string): Promise<Json | undefined> {
  return withFile(folder, name, async (file, sizeBytes) => {
    folder.dataBytes += sizeBytes
    if (sizeBytes > DATA_BYTES_MAX || folder.dataBytes > DATA_BYTES_TOTAL_MAX)
      throw damaged(name, 'too-large', `more JSON than the ${DATA_BYTES_MAX} bytes a file may have`)
    const bytes = Buffer.alloc(sizeBytes)
    let filled = 0
    while (filled < sizeBytes) {
      const { bytesRead } = await file.read(bytes, filled, sizeBytes - filled, filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return parseSource(bytes.subarray(0, filled), name)
  })
}

/**
 * The JSON in `source`, strictly.
 *
 * @throws SOURCE_DAMAGED with rule `json` and the place
 */
export function parseSource(source: string | Uint8Array, file: string): Json {
  try {
    return parseJson(source, file, LEGACY_JSON_LIMITS)
  } catch (thrown) {
    if (!isRm3Error(thrown, 'JSON_INVALID')) throw thrown
    const { pointer = '', line, column } = thrown.details
    const message = thrown.message.slice(file.length + 2)
    throw damaged(file, 'json', message, { place: pointer, line, column })
  }
}

/** Size, hash and first bytes of a file, or undefined when it was refused (that is noted then). */
export async function hashFile(
  folder: SourceFolder,
  name: string,
): Promise<HashedFile | undefined> {
  return withFile(folder, name, async (file, announced) => {
    if (announced > BLOB_BYTES_MAX)
      throw damaged(name, 'too-large', `larger than the ${BLOB_BYTES_MAX} bytes a blob may have`)
    const hash = createHash('sha256')
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, announced + 1))
    let head = Buffer.alloc(0)
    let sizeBytes = 0
    while (sizeBytes <= announced) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, sizeBytes)
      if (bytesRead === 0) break
      if (sizeBytes === 0) head = Buffer.from(chunk.subarray(0, Math.min(bytesRead, HEAD_BYTES)))
      hash.update(chunk.subarray(0, bytesRead))
      sizeBytes += bytesRead
    }
    if (sizeBytes !== announced)
      throw damaged(name, 'changing', 'the file changes while it is read')
    return { sha256: hash.digest('hex'), sizeBytes, head }
  })
}

/** Opens a regular file, never through a link, and never waiting for a pipe's other end. */
async function withFile<T>(
  folder: SourceFolder,
  name: string,
  use: (file: FileHandle, sizeBytes: number) => Promise<T>,
): Promise<T | undefined> {
  const spot = spotOf(name, undefined, folder.findings)
  let file: FileHandle | undefined
  try {
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
    file = await open(join(folder.dir, name), flags)
    const found = await file.stat()
    if (!found.isFile()) throw damaged(name, 'not-a-file', 'this is not a regular file')
    return await use(file, found.size)
  } catch (thrown) {
    const { rule, message, place } = reasonOf(thrown, name)
    refuse({ ...spot, tokens: place }, rule, message)
    return undefined
  } finally {
    await file?.close()
  }
}

function reasonOf(thrown: unknown, name: string) {
  if (isRm3Error(thrown, 'SOURCE_DAMAGED')) {
    const { place, rule } = thrown.details
    const message = thrown.message.slice(name.length + 2)
    return { rule: String(rule), message, place: tokensOf(String(place)) ?? [] }
  }
  const code = (thrown as NodeJS.ErrnoException | null)?.code
  if (code === 'ENOENT') return { rule: 'missing', message: 'the file is missing', place: [] }
  if (code === 'ELOOP' || code === 'EMLINK')
    return { rule: 'not-a-file', message: 'this is a link, not a regular file', place: [] }
  if (code === undefined) throw thrown
  return { rule: 'unreadable', message: `the file cannot be read (${code})`, place: [] }
}

function damaged(file: string, rule: string, message: string, more: Record<string, unknown> = {}) {
  return new Rm3Error('SOURCE_DAMAGED', `${file}: ${message}`, { file, place: '', rule, ...more })
}
