import { hash } from 'node:crypto'
import { msOfInstant } from '../pg/instant.ts'
import type { RecordedEvent } from './event.ts'

/** The chain value before the first event: 32 zero bytes. */
export const CHAIN_START = Buffer.alloc(32)

const HASH_BYTES = 32
/** Longer than a header of a log: what is put together here need not be allocated for each event. */
const scratch = Buffer.allocUnsafeSlow(2048)

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
  const at = msOfInstant(event.at)
  const recordedAt = event.recordedAt === event.at ? at : msOfInstant(event.recordedAt)
  const header = `${event.position}\n${event.eventId}\n${event.stream}\n${event.revision}\n${event.type}\n${event.version}\n${event.actor}\n${at}\n${recordedAt}\n`
  const most = 2 * HASH_BYTES + 3 * header.length
  const bytes = most <= scratch.length ? scratch : Buffer.allocUnsafe(most)
  previous.copy(bytes)
  const end = HASH_BYTES + bytes.write(header, HASH_BYTES)
  body.copy(bytes, end)
  return hash('sha256', bytes.subarray(0, end + HASH_BYTES), 'buffer')
}
