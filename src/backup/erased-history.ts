import type { ImportedEvent } from '../commands/import.ts'
import { documentOf } from '../content/document.ts'
import { erasedDocument } from '../content/erased.ts'
import type { BlobAttached, Erased } from '../content/events.ts'

/** Events of a page in their order, and what of all until then is erased behind them. */
export interface HistoryPiece {
  readonly events: readonly ImportedEvent[]
  /** null behind the last piece, mostly. */
  readonly erasure: PieceErasure | null
}

export interface PieceErasure {
  readonly eventId: string
  readonly wanted: 'whole' | ReadonlySet<number>
  readonly actor: string
  readonly at: string
  readonly reason: string | null
}

/**
 * A history in which something was erased, so that it can happen again elsewhere: a log takes no event that is empty from the beginning.
 * In the place of each erased one stands one of its type that says nothing, and which the erasure behind it empties. Pure.
 *
 * @param events of one page as they are read (`asRead`), oldest first
 * @returns one piece when nothing was erased
 */
export function piecesOf(events: readonly ImportedEvent[]): HistoryPiece[] {
  const pieces: HistoryPiece[] = []
  let piece: ImportedEvent[] = []
  for (const event of events) {
    if (event.type !== 'Erased') {
      piece.push(placeholderOf(event))
      continue
    }
    pieces.push({ events: piece, erasure: erasureOf(event, event.data) })
    piece = []
  }
  if (piece.length > 0 || pieces.length === 0) pieces.push({ events: piece, erasure: null })
  return pieces
}

function erasureOf({ eventId, actor, at, note }: ImportedEvent, data: Erased): PieceErasure {
  const wanted = data.whole ? 'whole' : new Set(data.revisions)
  return { eventId, wanted, actor, at, reason: note }
}

function placeholderOf(event: ImportedEvent): ImportedEvent {
  if (event.type === 'Redacted') return redacted(event)
  if (!('erased' in event.data)) return event
  const { erased: _, proto, ...data } = event.data
  // what goes live is found by its revision
  const isPublication = event.type === 'PagePublished'
  const document = documentOf(erasedDocument(proto))
  return { ...event, data: isPublication ? data : { ...data, document } } as ImportedEvent
}

/** No bytes have this name. */
const NO_HASH = '0'.repeat(64)

/** Of a file that is erased not even the name is left: each gets one of its own. */
function redacted(event: Extract<ImportedEvent, { type: 'Redacted' }>): ImportedEvent {
  const name = `erased-${event.eventId}`
  const blob: BlobAttached = {
    ...{ name, sha256: NO_HASH, sizeBytes: 0, mediaType: 'application/octet-stream' },
    category: 'private',
  }
  const data = event.data.was === 'BlobAttached' ? blob : { name }
  return { ...event, type: event.data.was, data } as ImportedEvent
}
