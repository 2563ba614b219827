import { createHash } from 'node:crypto'
import { Rm3Error } from '../errors.ts'

const CURSOR_CHARS_MAX = 4_000

/**
 * A keyset cursor: where a listing goes on, bound to what is listed in which order. It is opaque to callers, who can at most
 * begin somewhere else in what they may read anyway.
 *
 * @param listing everything that decides what is listed and how; the same for each page of it
 * @param keys the sort keys of the last item given
 */
export function makeCursor(listing: object, keys: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([fingerprint(listing), ...keys])).toString('base64url')
}

/**
 * The keys out of a cursor that `makeCursor` made for the same listing.
 *
 * @param types of the keys, in order
 * @throws CURSOR_INVALID
 */
export function readCursor(
  listing: object,
  cursor: string,
  types: readonly ('string' | 'number')[],
): (string | number)[] {
  const [mark, ...keys] = parse(cursor)
  const fits = keys.length === types.length && keys.every((key, n) => typeof key === types[n])
  if (mark !== fingerprint(listing) || !fits || keys.some(isUnkept)) {
    throw new Rm3Error('CURSOR_INVALID', 'after: the cursor was not made by this listing', {
      parameter: 'after',
    })
  }
  return keys as (string | number)[]
}

function parse(cursor: string): unknown[] {
  if (cursor.length > CURSOR_CHARS_MAX) return []
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

/** What PostgreSQL takes neither as text nor as a number. */
function isUnkept(key: unknown): boolean {
  return typeof key === 'string' ? key.includes('\0') : !Number.isSafeInteger(key)
}

function fingerprint(listing: object): string {
  return createHash('sha256').update(JSON.stringify(listing)).digest('base64url').slice(0, 12)
}
