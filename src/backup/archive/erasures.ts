import type { Erasure } from '../../commands/erasures.ts'
import type { Erased } from '../../content/events.ts'
import { Rm3Error } from '../../errors.ts'
import type { RawEvent } from '../../log/raw.ts'
import type { Keys } from '../age/wrap.ts'
import { openArchive } from './read.ts'
import { proveBlob } from './verify.ts'

/** What an `Erased` event says of the others of its stream, without what stands in for them. */
type Said = Pick<Erased, 'revisions' | 'whole'>

/** An `Erased` event. Null is what it said itself where a later one has emptied it, and says it in its place. */
interface Found {
  readonly event: Pick<RawEvent, 'eventId' | 'position' | 'revision' | 'actor' | 'at'>
  note: string | null
  said: Said | null
}

/** What is known of a stream of which something was erased. */
interface Stream {
  readonly found: Found[]
  /** Ids of its emptied events, by revision. */
  readonly emptied: Map<number, string>
}

/**
 * The erasures that an archive tells of, in their order. All of it is read, and proved; of its events only those are held that were
 * emptied.
 *
 * @throws BACKUP_INCOMPLETE when it continues another one and erases what is in that; BACKUP_DAMAGED, WRONG_KEY, BACKUP_NEWER
 */
export async function erasuresInArchive(
  source: AsyncIterable<Uint8Array>,
  keys: Keys,
): Promise<Erasure[]> {
  const archive = await openArchive(source, keys)
  for await (const blob of archive.blobs()) await proveBlob(blob)
  await archive.passSecrets()
  const streams = new Map<string, Stream>()
  for await (const events of archive.events()) for (const event of events) note(streams, event)
  const { parent } = archive.header
  const erasures = [...streams].flatMap(([entityId, stream]) =>
    stream.found.map(found => erasureOf(entityId, stream, found, parent.position)),
  )
  return erasures.sort((one, other) => one.position - other.position)
}

function note(streams: Map<string, Stream>, event: RawEvent): void {
  const isErasure = event.type === 'Erased'
  if (!isErasure && event.salt !== null) return
  const known: Stream = streams.get(event.stream) ?? { found: [], emptied: new Map() }
  streams.set(event.stream, known)
  if (event.salt === null) known.emptied.set(event.revision, event.eventId)
  if (!isErasure) return
  const data = event.data === null ? null : (JSON.parse(event.data) as Erased)
  const { eventId, position, revision, actor, at } = event
  const said = data && saidBy(data)
  known.found.push({ event: { eventId, position, revision, actor, at }, note: event.note, said })
  for (const standIn of data?.standIns ?? []) {
    const emptied = known.found.find(it => it.event.revision === standIn.revision)
    if (emptied === undefined || standIn.data === null) continue
    emptied.note = standIn.note
    emptied.said = saidBy(standIn.data as Erased)
  }
}

function saidBy({ revisions, whole }: Erased): Said {
  return { revisions, ...(whole === true && { whole }) }
}

function erasureOf(
  entityId: string,
  { emptied }: Stream,
  { event, note: reason, said }: Found,
  parent: number,
): Erasure {
  const { eventId, position, actor, at } = event
  const { revisions = [], whole = false } = said ?? {}
  const events = revisions.flatMap(revision => emptied.get(revision) ?? [])
  if (!whole && events.length < revisions.length) {
    throw new Rm3Error(
      'BACKUP_INCOMPLETE',
      `the archive begins behind position ${parent} and erases what came before: load it behind the one that it continues, or name a whole one`,
      { position },
    )
  }
  return { eventId, entityId, position, actor, at, reason, whole, events }
}
