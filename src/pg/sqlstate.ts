import { type ErrorCode, Rm3Error } from '../errors.ts'

/**
 * Which of PostgreSQL's SQLSTATEs (manual, appendix A) and Node's network errors are the caller's doing or pass by themselves.
 * Everything else is a bug and stays what it is.
 */
const CODES: Record<string, ErrorCode> = {
  '22021': 'REQUEST_INVALID', // NUL or malformed UTF-8 in text
  '22P02': 'REQUEST_INVALID', // malformed uuid, number, json
  '22P05': 'REQUEST_INVALID', // untranslatable character
  '22003': 'REQUEST_INVALID', // number out of range
  '22008': 'REQUEST_INVALID', // date out of range
  '22007': 'REQUEST_INVALID', // malformed date
  '54000': 'REQUEST_INVALID', // program limit
  '54001': 'REQUEST_INVALID', // nested too deep
  '57014': 'TIMEOUT', // statement_timeout
  '55P03': 'LOG_BUSY', // lock_timeout
  RM001: 'TREE_CHANGED', // raised by schema/functions/verify-nothing-at.sql
  RM002: 'DATABASE_NEWER', // raised by write_inline: rows of projections that the database does not have
  '53100': 'DISK_FULL',
  '53300': 'UNAVAILABLE', // too many connections
  '57P01': 'UNAVAILABLE', // shut down
  '57P02': 'UNAVAILABLE',
  '57P03': 'UNAVAILABLE', // starting up
  '57P04': 'UNAVAILABLE', // the database was dropped
  '57P05': 'UNAVAILABLE', // idle for too long
  '25P03': 'UNAVAILABLE', // idle in a transaction for too long
  '25006': 'UNAVAILABLE', // a standby, which takes no writes
}
/** SQLSTATE class 08, exceptions of the connection, and what Node says of a socket that is no more. */
const LOST_CODE = /^(?:08\w{3}|ERR_(?:STREAM|SOCKET|SSL)\w*)$/

const SENTENCES: Partial<Record<ErrorCode, string>> = {
  REQUEST_INVALID: 'a value is malformed or out of range',
  TIMEOUT: 'the database did not answer in time',
  LOG_BUSY: 'another change holds the lock; try again',
  TREE_CHANGED: 'pages below the path were changed at the same moment; try again',
  DATABASE_NEWER:
    'the projections in the database are of another version of rm3 than this process; restart it with the newest one',
  DISK_FULL: 'the disk of the database is full',
  UNAVAILABLE: 'the database cannot be reached just now',
}

/** `thrown` as an Rm3Error when it has a cause the caller can act on, else as it is. */
export function translated(thrown: unknown): unknown {
  const code = codeOf(thrown)
  if (code === null) return thrown
  return new Rm3Error(code, SENTENCES[code] ?? code, { cause: thrown })
}

/** The name of the constraint that `thrown` says was violated (SQLSTATE class 23), or null. */
export function violatedConstraint(thrown: unknown): string | null {
  if (typeof thrown !== 'object' || thrown === null) return null
  const { code, constraint } = thrown as { code?: unknown; constraint?: unknown }
  return String(code).startsWith('23') && typeof constraint === 'string' ? constraint : null
}

/** Codes that say nothing about what was to be done, only about the moment. */
const PASSING: ReadonlySet<string> = new Set([
  'UNAVAILABLE',
  'LOG_BUSY',
  'DISK_FULL',
  'DATABASE_NEWER',
])
/** A deadlock, and what two transactions did at once. */
const COLLISIONS: ReadonlySet<string> = new Set(['40P01', '40001'])

/** Whether two transactions stood in each other's way, and this one was rolled back. */
export function isCollision(thrown: unknown): boolean {
  const { code } = (thrown ?? {}) as { code?: unknown }
  return code === 'LOG_BUSY' || COLLISIONS.has(String(code))
}

/** No such table, no such schema. */
const GONE: ReadonlySet<string> = new Set(['42P01', '3F000'])

/** Whether the schema is not there any more, or nothing is in it. */
export function isGone(thrown: unknown): boolean {
  const { code } = (thrown ?? {}) as { code?: unknown }
  return GONE.has(String(code))
}

/** Whether the same may succeed later, or in a newer process: the server is away, full or busy. */
export function isPassing(thrown: unknown): boolean {
  const { code } = (thrown ?? {}) as { code?: unknown }
  if (thrown instanceof Rm3Error) return PASSING.has(thrown.code)
  return COLLISIONS.has(String(code))
}

function codeOf(thrown: unknown): ErrorCode | null {
  if (!(thrown instanceof Error) || thrown instanceof Rm3Error) return null
  const code = (thrown as { code?: unknown }).code
  if (typeof code === 'string' && Object.hasOwn(CODES, code)) return CODES[code] ?? null
  return isLost(thrown, code) ? 'UNAVAILABLE' : null
}

/** Whatever the system says of a socket (ECONNRESET, EHOSTUNREACH, ENOENT of a Unix socket, …) means that it is of no use. */
function isLost(thrown: Error, code: unknown): boolean {
  if ('syscall' in thrown || thrown instanceof AggregateError) return true
  return (typeof code === 'string' && LOST_CODE.test(code)) || LOST.test(thrown.message)
}

/** How node-postgres says that a connection or its answer was lost; these errors have no code. */
const LOST =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|not queryable/
