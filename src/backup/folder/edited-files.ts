import { opendir } from 'node:fs/promises'
import { type Json, type JsonObject, parseJson } from '../../codec/json.ts'
import { isRm3Error, Rm3Error } from '../../errors.ts'
import { isInstant } from '../../log/check-entry.ts'
import type { ProvableEvent } from '../../log/copy-history.ts'
import { CATALOG, DATA_SUFFIX, type FileEntry, isFileName, streamOf } from './format.ts'
import { bodyHashOf, linkOf } from './item.ts'
import { type Catalog, listFiles, readCatalog } from './read-catalog.ts'
import { BACKUP_JSON_LIMITS, hashOfFile } from './read-history.ts'
import { FileFault } from './rules.ts'
import { readPieces, withFile } from './source-files.ts'

/** A file of a backup as somebody left it. `history` is null where it has none. */
export interface EditedFile {
  readonly name: string
  readonly kind: 'entity' | 'permissions' | 'settings'
  /** Whose history it is: of an added file what its record says. */
  readonly stream: string
  readonly record: JsonObject
  readonly history: readonly EditedItem[] | null
  readonly did: 'same' | 'changed' | 'added'
}

/** An event as it stands in the file, and whether it still has the hash it was recorded with. */
export interface EditedItem {
  readonly event: ProvableEvent
  readonly isSame: boolean
}

/** A backup that may have been changed by hand; its catalog tells what it was. */
export interface EditedBackup {
  readonly catalog: Catalog
  readonly files: readonly EditedFile[]
  /** Files of blobs, by SHA-256. */
  readonly blobs: ReadonlyMap<string, { readonly file: string }>
  /** Names of files that the catalog lists and that are not there. */
  readonly removed: readonly string[]
}

/**
 * Reads a backup that was changed by hand. Records, histories, grants, settings and secrets may be edited, files of entities added or taken
 * away; the catalog and blobs must be as they were written. All of it is held in memory.
 *
 * @throws BACKUP_DAMAGED, BACKUP_NEWER naming the file
 */
export async function readEdited(dir: string): Promise<EditedBackup> {
  const catalog = inFile(CATALOG, () => readCatalog(dir))
  const there = new Set<string>()
  for await (const { name } of await opendir(dir)) there.add(name)
  there.delete(CATALOG)
  const files: EditedFile[] = []
  const removed: string[] = []
  const blobs = new Map<string, { file: string }>()
  for (const entry of listFiles(dir)) {
    if (entry.kind === 'blob') blobs.set(entry.sha256, { file: entry.name })
    if (!isFileName(entry.kind, entry.name)) throw damaged(CATALOG, `${entry.name} is no name`)
    const isThere = there.delete(entry.name)
    if (!isThere && entry.kind === 'entity') removed.push(entry.name)
    else if (!isThere) throw missing(entry.name)
    else if (entry.kind === 'blob') demandSameBlob(dir, entry)
    else if (entry.kind !== 'credentials') files.push(readListed(dir, entry))
  }
  for (const name of [...there].sort()) files.push(readAdded(dir, name))
  return { catalog, files, blobs, removed }
}

function demandSameBlob(dir: string, entry: FileEntry): void {
  inFile(entry.name, () => {
    if (hashOfFile(dir, entry) === entry.sha256) return
    throw new FileFault('file-hash', 'a blob is named by its hash, and cannot be edited')
  })
}

function readListed(dir: string, entry: FileEntry): EditedFile {
  const { name, kind, sha256 } = entry
  const text = inFile(name, () => readWhole(dir, name))
  const isSame = inFile(name, () => {
    try {
      return hashOfFile(dir, entry) === sha256
    } catch (thrown) {
      if (thrown instanceof FileFault && thrown.rule === 'file-size') return false
      throw thrown
    }
  })
  const { record, history } = parsed(name, text, streamOf(entry))
  const did = isSame ? 'same' : 'changed'
  return { name, kind: kind as EditedFile['kind'], stream: streamOf(entry), record, history, did }
}

function readAdded(dir: string, name: string): EditedFile {
  if (!name.endsWith(DATA_SUFFIX)) throw damaged(name, 'only files of entities can be added')
  const text = inFile(name, () => readWhole(dir, name))
  const { entityId } = parsed(name, text, '').record
  const stream = typeof entityId === 'string' ? entityId : ''
  return { name, kind: 'entity', stream, ...parsed(name, text, stream), did: 'added' }
}

/** One file that somebody may have edited, with its whole history. */
const EDITED_BYTES_MAX = 256 * 1024 * 1024
const EDITED_JSON_LIMITS = { ...BACKUP_JSON_LIMITS, itemsMax: 20_000_000 }

/** The bytes of a file, whose lines an editor may have laid out anew. */
function readWhole(dir: string, name: string): Uint8Array {
  return withFile(dir, name, file => {
    if (file.sizeBytes > EDITED_BYTES_MAX) throw new FileFault('file-size', 'it is too large')
    return Buffer.concat(Array.from(readPieces(file), piece => Buffer.from(piece)))
  })
}

function parsed(
  name: string,
  text: Uint8Array,
  stream: string,
): Pick<EditedFile, 'record' | 'history'> {
  const value = jsonIn(name, text)
  if (!isObject(value)) throw damaged(name, 'it is no JSON object')
  const { history = null, ...record } = value
  if (history === null) return { record, history }
  if (!Array.isArray(history)) throw damaged(name, 'its history is no list')
  return { record, history: history.map((item, index) => itemOf(name, item, { stream, index })) }
}

function jsonIn(name: string, text: Uint8Array): Json {
  try {
    return parseJson(text, name, EDITED_JSON_LIMITS)
  } catch (thrown) {
    if (!isRm3Error(thrown, 'JSON_INVALID')) throw thrown
    throw new Rm3Error('BACKUP_DAMAGED', thrown.message, { file: name })
  }
}

const TEXTS = ['type', 'revisionId', 'at', 'recordedAt', 'actor'] as const
const SALT = /^[0-9a-f]{32}$/
const HASH = /^[0-9a-f]{64}$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const ACTOR = /^[a-z0-9-]{1,64}$/
const NO_HASH = '0'.repeat(64)

/** An item as it was understood by a JSON parser: an editor may have laid it out anew. */
function itemOf(
  name: string,
  item: Json,
  { stream, index }: { stream: string; index: number },
): EditedItem {
  const place = `/history/${index}`
  if (!isObject(item)) throw damaged(name, `${place} is no object`)
  const text = (member: (typeof TEXTS)[number]): string => {
    const value = item[member]
    if (typeof value === 'string') return value
    throw damaged(name, `${place} has no ${member}`)
  }
  const { note = null, meta = null, data = null, salt, bodyHash, previous, chain } = item
  if (note !== null && typeof note !== 'string') throw damaged(name, `${place}/note is no text`)
  if (data === null && meta === null && typeof bodyHash !== 'string') {
    throw damaged(name, `${place} says nothing, and has no hash of what it said`)
  }
  const isErased = data === null
  const body = { note, meta: jsonOf(meta), data: jsonOf(data) }
  const ofSalt = typeof salt === 'string' && SALT.test(salt) ? salt : '0'.repeat(32)
  const event: ProvableEvent = {
    ...{ stream, position: Number(item['position'] ?? 0), revision: Number(item['revision'] ?? 0) },
    ...{ type: text('type'), version: Number(item['version'] ?? 1), eventId: text('revisionId') },
    ...{ at: text('at'), recordedAt: text('recordedAt'), actor: text('actor') },
    ...body,
    salt: isErased ? null : ofSalt,
    bodyHash: isErased ? hashIn(bodyHash) : bodyHashOf(ofSalt, body),
    previous: hashIn(previous),
    chain: hashIn(chain),
  }
  const isSound =
    UUID.test(event.eventId) &&
    ACTOR.test(event.actor) &&
    isInstant(event.at) &&
    isInstant(event.recordedAt) &&
    Number.isSafeInteger(event.position)
  if (!isSound)
    throw damaged(name, `${place} has an id, an actor, an instant or a position that is none`)
  return { event, isSame: linkOf(event) === event.chain }
}

function jsonOf(value: Json): string | null {
  return value === null ? null : JSON.stringify(value)
}

function hashIn(value: Json | undefined): string {
  return typeof value === 'string' && HASH.test(value) ? value : NO_HASH
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a fault in a file is to whoever wanted to load it. */
function inFile<Result>(name: string, work: () => Result): Result {
  try {
    return work()
  } catch (thrown) {
    if (!(thrown instanceof FileFault)) throw thrown
    if (thrown.rule.startsWith('format-')) {
      throw new Rm3Error('BACKUP_NEWER', `${name}: ${thrown.message}`, { file: name })
    }
    throw damaged(name, thrown.message)
  }
}

export function damaged(file: string, what: string): Rm3Error {
  return new Rm3Error('BACKUP_DAMAGED', `${file}: ${what}`, { file })
}

function missing(file: string): Rm3Error {
  return new Rm3Error(
    'BACKUP_INCOMPLETE',
    `${file} is not there, and only files of entities may be taken away`,
    { file },
  )
}
