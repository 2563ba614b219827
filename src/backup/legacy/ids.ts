import { createHash } from 'node:crypto'
import { canonicalJson, type Json } from '../../codec/json.ts'
import { GRANTS_STREAM, SETTINGS_STREAM } from '../../content/events.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Streams that are no page's. */
export const SITE_STREAMS: ReadonlySet<string> = new Set([
  GRANTS_STREAM,
  SETTINGS_STREAM,
  '00000000-0000-0000-0000-000000000000',
])

/** Whether `text` is a uuid of any version, in lower case. */
export function isUuid(text: string): boolean {
  return UUID.test(text)
}

/**
 * The uuid (RFC 9562, version 8) that follows from `parts` by SHA-256: the same for the same parts, for ever.
 *
 * So a backup that is loaded again brings the same events again, and the log knows them.
 */
export function derivedId(...parts: Json[]): string {
  const bytes = createHash('sha256').update(canonicalJson(parts)).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return [0, 8, 12, 16, 20].map((from, n) => hex.slice(from, [8, 12, 16, 20, 32][n])).join('-')
}
