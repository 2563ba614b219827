import { createHash } from 'node:crypto'
import type { RecordedEvent } from './event.ts'

/** The chain value before the first event: 32 zero bytes. */
export const CHAIN_START = Buffer.alloc(32)

/**
 * The chain value at an event: SHA-256 of the value before, the columns that are never erased, and the hash of the erasable ones.
 *
 * `schema/functions/append.sql` computes the same.
 */
export function chainLink(
  previous: Buffer,
  event: Omit<RecordedEvent, 'note' | 'meta' | 'data'>,
  body: Buffer,
): Buffer {
  const header = [
    event.position,
    event.eventId,
    event.stream,
    event.revision,
    event.type,
    event.version,
    event.actor,
    Date.parse(event.at),
    Date.parse(event.recordedAt),
    '',
  ].join('\n')
  return createHash('sha256').update(previous).update(header, 'utf8').update(body).digest()
}
