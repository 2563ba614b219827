import { statSync } from 'node:fs'
import type { Erasure } from '../commands/erasures.ts'
import type { Erased } from '../content/events.ts'
import { asRead, standInsOf } from '../content/stand-ins.ts'
import { Rm3Error } from '../errors.ts'
import type { ProvableEvent } from '../log/copy-history.ts'
import type { Keys } from './age/wrap.ts'
import { erasuresInArchive } from './archive/erasures.ts'
import { openBytes } from './archive/open-bytes.ts'
import { filesOf, historyOf } from './folder/load.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const ACTOR = /^[a-z0-9-]{1,64}$/
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const LIST_BYTES_MAX = 256 * 1024 * 1024
/** What a list of erasures begins with, behind spaces: no archive does. */
const LIST_BEGINS = '{'
const HEAD_BYTES = 64

/** Where erasures are told of. */
export interface ErasureSource {
  /** What people call it. */
  readonly name: string
  /** A path; null for stdin. */
  readonly path: string | null
  readonly stdin: AsyncIterable<Uint8Array>
  /** What an encrypted archive may be opened with. */
  readonly keys: Keys
}

/**
 * The erasures that a newer backup knows, or that a site told of: of a folder that `rm3backup` wrote and that is whole, of an archive, which is
 * proved on the way, or of what `rm3admin erasures --json` printed.
 *
 * @throws SOURCE_NOT_FOUND, SOURCE_DAMAGED, BACKUP_DAMAGED, BACKUP_INCOMPLETE when an archive does not reach back far enough, WRONG_KEY, BACKUP_NEWER
 */
export async function readErasures(source: ErasureSource): Promise<Erasure[]> {
  const { name, path } = source
  if (path === null) return erasuresIn(source.stdin, source)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) {
    throw new Rm3Error('SOURCE_NOT_FOUND', `there is no ${name}`, { source: name })
  }
  if (found.isDirectory()) return erasuresInFolder(path)
  const { bytes, close } = await openBytes(path, name)
  try {
    return await erasuresIn(bytes, source)
  } finally {
    await close()
  }
}

function erasuresInFolder(dir: string): Erasure[] {
  const erasures: Erasure[] = []
  for (const file of filesOf(dir)) {
    if (file.kind === 'entity') erasures.push(...erasuresOf([...historyOf(dir, file)].flat()))
  }
  return erasures.sort((one, other) => one.position - other.position)
}

function erasuresOf(events: readonly ProvableEvent[]): Erasure[] {
  const standIns = standInsOf(events)
  return events.flatMap((event): Erasure[] => {
    if (event.type !== 'Erased') return []
    const { data, note: reason, eventId, stream, position, actor, at } = asRead(event, standIns)
    const { revisions, whole = false } = JSON.parse(data ?? '{"revisions":[]}') as Erased
    const ids = revisions.flatMap(revision => events[revision - 1]?.eventId ?? [])
    return [{ eventId, entityId: stream, position, actor, at, reason, whole, events: ids }]
  })
}

/** Of a list, or an archive. */
async function erasuresIn(
  bytes: AsyncIterable<Uint8Array>,
  { name, keys }: ErasureSource,
): Promise<Erasure[]> {
  const pieces = bytes[Symbol.asyncIterator]()
  const held: Uint8Array[] = []
  let head = Buffer.alloc(0)
  while (head.length < HEAD_BYTES) {
    const { value, done } = await pieces.next()
    if (done) break
    held.push(value)
    head = Buffer.concat([head, value])
  }
  const all = async function* () {
    yield* held
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value
  }
  const isList = head.toString('latin1').trimStart().startsWith(LIST_BEGINS)
  return isList ? erasuresInList(await textOf(all(), name), name) : erasuresInArchive(all(), keys)
}

async function textOf(bytes: AsyncIterable<Uint8Array>, name: string): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of bytes) {
    length += part.length
    if (length > LIST_BYTES_MAX) throw noList(name)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function erasuresInList(text: string, name: string): Erasure[] {
  const items = itemsIn(text)
  if (items === null || !items.every(isErasure)) throw noList(name)
  return items
}

function noList(name: string): Rm3Error {
  const message = `${name} is not what rm3admin erasures --json prints, and no backup`
  return new Rm3Error('SOURCE_DAMAGED', message, { file: name })
}

function itemsIn(text: string): unknown[] | null {
  try {
    const { items } = JSON.parse(text) as { items?: unknown }
    return Array.isArray(items) ? items : null
  } catch {
    return null
  }
}

function isErasure(value: unknown): value is Erasure {
  const { eventId, entityId, actor, at, reason, whole, events } = (value ?? {}) as Partial<Erasure>
  const isId = (id: unknown) => typeof id === 'string' && UUID.test(id)
  return (
    isId(eventId) &&
    isId(entityId) &&
    ACTOR.test(String(actor)) &&
    INSTANT.test(String(at)) &&
    (reason === null || typeof reason === 'string') &&
    typeof whole === 'boolean' &&
    Array.isArray(events) &&
    events.every(isId)
  )
}
