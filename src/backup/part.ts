import type {
  ImportedAppend,
  ImportedEvent,
  ImportedSecret,
  SiteImport,
} from '../commands/import.ts'
import { asRead, standInsOf } from '../content/stand-ins.ts'
import { upcast } from '../content/upcast.ts'
import type { ProvableEvent } from '../log/copy-history.ts'
import type { Beside } from './beside.ts'
import { snapshotOf } from './snapshot.ts'

/** Events of a backup in the order in which they happened, with their ids, authors and times, and as they are read: what was erased is told as erased. */
export function appendsOf(events: readonly ProvableEvent[]): ImportedAppend[] {
  const streams = new Map<string, ProvableEvent[]>()
  for (const event of events) {
    const stream = streams.get(event.stream) ?? []
    streams.set(event.stream, stream)
    stream.push(event)
  }
  const read = [...streams.values()].flatMap(stream => {
    const standIns = standInsOf(stream)
    return stream.map(event => asRead(event, standIns))
  })
  read.sort((one, other) => one.position - other.position)
  return read.map(event => ({ recordedAt: event.recordedAt, events: [importedOf(event)] }))
}

/** An event as a site takes it that is not the one it happened on. */
function importedOf(event: ProvableEvent): ImportedEvent {
  const { type, stream, data, eventId, actor, at, note } = upcast(event)
  const meta = JSON.parse(event.meta ?? '{}') as object
  return { type, stream, data, eventId, actor, at, note, meta } as ImportedEvent
}

/** What is in a backup without its past: each live page as one event, and what is in force. */
export function presentOf(appends: readonly ImportedAppend[], beside: Beside): SiteImport {
  const present = snapshotOf(appends)
  return { appends: present, secrets: secretsFor(present, beside) }
}

/** The secrets of a backup that go with what is loaded of it. */
export function secretsFor(
  appends: readonly ImportedAppend[],
  beside: Beside,
): readonly ImportedSecret[] {
  const kept = new Set<string>()
  for (const { type, data } of appends.flatMap(append => append.events)) {
    if (type === 'CredentialSet') kept.add(data.credential)
  }
  return beside.secrets().filter(({ credential }) => kept.has(credential))
}
