import { readFileSync, statSync } from 'node:fs'
import type { Erasure } from '../commands/erasures.ts'
import type { Erased } from '../content/events.ts'
import { asRead, standInsOf } from '../content/stand-ins.ts'
import { Rm3Error } from '../errors.ts'
import type { ProvableEvent } from '../log/copy-history.ts'
import { historyOf } from './folder/load.ts'
import { listFiles } from './folder/read-catalog.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const ACTOR = /^[a-z0-9-]{1,64}$/
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const FILE_BYTES_MAX = 256 * 1024 * 1024

/**
 * The erasures that a newer backup knows, or that a site told of.
 *
 * @param source a folder that `rm3backup` wrote and that is whole, or a file with what `rm3admin erasures --json` printed
 * @throws SOURCE_NOT_FOUND, SOURCE_DAMAGED, BACKUP_DAMAGED
 */
export function readErasures(source: string): Erasure[] {
  const found = statSync(source, { throwIfNoEntry: false })
  if (found === undefined) {
    throw new Rm3Error('SOURCE_NOT_FOUND', `there is no ${source}`, { source })
  }
  return found.isDirectory() ? erasuresInFolder(source) : erasuresInFile(source, found.size)
}

function erasuresInFolder(dir: string): Erasure[] {
  const erasures: Erasure[] = []
  for (const file of listFiles(dir)) {
    if (file.kind === 'entity') erasures.push(...erasuresIn([...historyOf(dir, file)].flat()))
  }
  return erasures.sort((one, other) => one.position - other.position)
}

function erasuresIn(events: readonly ProvableEvent[]): Erasure[] {
  const standIns = standInsOf(events)
  return events.flatMap((event): Erasure[] => {
    if (event.type !== 'Erased') return []
    const { data, note: reason, eventId, stream, position, actor, at } = asRead(event, standIns)
    const { revisions, whole = false } = JSON.parse(data ?? '{"revisions":[]}') as Erased
    const ids = revisions.flatMap(revision => events[revision - 1]?.eventId ?? [])
    return [{ eventId, entityId: stream, position, actor, at, reason, whole, events: ids }]
  })
}

function erasuresInFile(file: string, sizeBytes: number): Erasure[] {
  const items = sizeBytes > FILE_BYTES_MAX ? null : itemsIn(readFileSync(file, 'utf8'))
  if (items === null || !items.every(isErasure)) {
    throw new Rm3Error(
      'SOURCE_DAMAGED',
      `${file} is not what rm3admin erasures --json prints; for a backup give its folder`,
      { file },
    )
  }
  return items
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
