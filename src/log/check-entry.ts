import { Rm3Error } from '../errors.ts'
import { parseInstant } from '../pg/instant.ts'
import type { LogEntry } from './event.ts'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const TYPE = /^[A-Z][A-Za-z]{0,63}$/
const ACTOR = /^[a-z0-9-]{1,64}$/
const INT_MAX = 2_147_483_647
const SMALLINT_MAX = 32_767

/**
 * Checks what the entries of one append must be, before they are put into JSON text and hashed: ids in lower case, instants with
 * milliseconds, `meta` and `data` one JSON object each without space around it (that is how PostgreSQL hands them back), and the
 * revisions of each stream one after the other.
 *
 * @throws REQUEST_INVALID {entry, field}, entry counted from 0; JSON_INVALID {entry, field}
 */
export function checkEntries(entries: readonly LogEntry[]): void {
  if (entries.length === 0) throw new Rm3Error('REQUEST_INVALID', 'an append has no events')
  const revisions = new Map<string, number>()
  entries.forEach((entry, index) => {
    const field = malformedField(entry)
    if (field !== null) throw malformed(index, field)
    checkJson(entry.meta, index, 'meta')
    checkJson(entry.data, index, 'data')
    if (hasUnkeepableEscape(entry.meta)) throw malformed(index, 'meta')
    if (hasUnkeepableEscape(entry.data)) throw malformed(index, 'data')
    const before = revisions.get(entry.stream)
    if (before !== undefined && entry.revision !== before + 1) throw malformed(index, 'revision')
    revisions.set(entry.stream, entry.revision)
  })
}

/** The first column that is not what the log takes, of those that are not JSON; null when none is. */
export function malformedField(entry: Omit<LogEntry, 'meta' | 'data'>): keyof LogEntry | null {
  if (!UUID.test(entry.eventId)) return 'eventId'
  if (!UUID.test(entry.stream)) return 'stream'
  if (!isIntegerUpTo(INT_MAX, entry.revision)) return 'revision'
  if (!TYPE.test(entry.type)) return 'type'
  if (!isIntegerUpTo(SMALLINT_MAX, entry.version)) return 'version'
  if (!ACTOR.test(entry.actor)) return 'actor'
  if (!isInstant(entry.at)) return 'at'
  if (entry.recordedAt !== undefined && !isInstant(entry.recordedAt)) return 'recordedAt'
  if (entry.note !== null && !isKeepable(entry.note)) return 'note'
  return null
}

/** Whether PostgreSQL keeps a text as it is. */
function isKeepable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

function isIntegerUpTo(max: number, value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= max
}

/** Whether a text is an instant as events have it: RFC 3339, UTC, milliseconds, from the year 1 on. */
export function isInstant(text: string): boolean {
  return !text.startsWith('0000') && !Number.isNaN(parseInstant(text))
}

function checkJson(text: string, entry: number, field: 'meta' | 'data'): void {
  if (!text.startsWith('{') || !text.endsWith('}') || !text.isWellFormed()) {
    throw notJson(entry, field)
  }
  try {
    JSON.parse(text)
  } catch (cause) {
    throw notJson(entry, field, cause)
  }
}

const ESCAPES = /\\(?:u([0-9a-fA-F]{4})|.)/g

/** Whether JSON text escapes NUL or half of a surrogate pair: PostgreSQL would keep that, but not read it. */
function hasUnkeepableEscape(text: string): boolean {
  if (!text.includes('\\u')) return false
  const plain = text.replace(ESCAPES, (_, code?: string) =>
    code === undefined ? '' : String.fromCharCode(Number.parseInt(code, 16)),
  )
  return plain.includes('\0') || !plain.isWellFormed()
}

function malformed(entry: number, field: keyof LogEntry): Rm3Error {
  return new Rm3Error('REQUEST_INVALID', `${field} of event ${entry} is not what the log takes`, {
    entry,
    field,
  })
}

function notJson(entry: number, field: 'meta' | 'data', cause?: unknown): Rm3Error {
  return new Rm3Error(
    'JSON_INVALID',
    `${field} of event ${entry} is not the text of one JSON object`,
    { entry, field, cause },
  )
}
