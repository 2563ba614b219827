/**
 * Every mistake a caller can make and every conflict it can meet, by code.
 *
 * The sentence is what `docs/reference/errors.md` says of the code (a test holds the two together); the message of an
 * error adds the values. The HTTP status of each is in `http/problem.ts`, the exit code in `cli/exit-codes.ts`.
 */
export const ERROR_CODES = {
  // the log
  REVISION_CONFLICT: 'The stream has moved on since the revision the writer expected.',
  RIGHTS_CHANGED: 'Rights were changed at the same moment; try again.',
  EVENT_ID_REUSED: 'An event id was used before for other events.',
  LOG_DAMAGED: 'The log does not verify: a row was changed, is missing or is out of order.',
  LOG_BUSY: 'Too many writes are waiting; try again shortly.',
  // content
  PAGE_NOT_FOUND: 'There is no such page, or it may not be seen.',
  PAGE_GONE: 'The page was deleted.',
  REVISION_NOT_FOUND: 'The page has no such revision.',
  ERASED: 'What the revision said was erased.',
  ERASURE_REFUSED: 'What readers see now is not erased alone.',
  PATH_INVALID: 'The path is not one: labels of letters, digits and _, separated by dots.',
  PATH_TAKEN: 'Another page is at that path.',
  MOVE_INTO_ITSELF: 'A page cannot be moved below itself.',
  TREE_CHANGED: 'Pages below the path were changed at the same moment; try again.',
  PAGE_NOT_DELETED: 'Only a deleted page can be undeleted.',
  NOTHING_TO_PUBLISH: 'That revision is live already.',
  DOCUMENT_INVALID: 'The document breaks a rule of its shape or a limit.',
  PATCH_INVALID: 'The patch is not a valid one for this document.',
  PATCH_TEST_FAILED: 'A test operation of the patch found another value.',
  JSON_INVALID: 'The JSON is malformed or holds something rm3 does not keep.',
  BLOB_NOT_FOUND: 'There is no such file, or it may not be seen.',
  REDIRECT_INVALID: 'The redirect is neither a path of this site nor an http(s) address.',
  SCHEDULE_NOT_FOUND: 'The page has no such publication ahead of it.',
  // rights and accounts
  PERMISSION_DENIED: 'The right for this is missing.',
  LOGIN_REQUIRED: 'Log in first, or send a token.',
  LOGIN_FAILED: 'User name or password is wrong.',
  TOKEN_INVALID: 'The token is unknown, expired or revoked.',
  PATTERN_INVALID: 'The path pattern cannot be understood.',
  USER_NOT_FOUND: 'There is no such user.',
  USER_EXISTS: 'There is such a user already.',
  ROLE_INVALID: 'The name of a role or permission is not one.',
  PASSWORD_INVALID: 'The password is empty or too long.',
  TOKEN_NOT_FOUND: 'There is no such token.',
  CSRF_REFUSED: 'The request did not come from a page of this site.',
  // requests
  REQUEST_INVALID: 'The request breaks a rule; the detail says which.',
  BODY_TOO_LARGE: 'The body is larger than allowed.',
  HEADERS_TOO_LARGE: 'The address and the headers are larger than allowed.',
  REQUEST_TOO_SLOW: 'The request took too long to arrive.',
  MEDIA_TYPE_UNSUPPORTED: 'The body is of a type that is not understood here.',
  METHOD_NOT_ALLOWED: 'That method is not for this address.',
  ROUTE_NOT_FOUND: 'There is nothing at this address.',
  RANGE_INVALID: 'The range lies outside of the file.',
  IF_MATCH_REQUIRED: 'Send If-Match with the ETag of the revision you edited.',
  IF_MATCH_STALE: 'The page was changed since; the current ETag comes with this answer.',
  IDEMPOTENCY_KEY_REUSED: 'The Idempotency-Key was used before for another request.',
  IDEMPOTENCY_KEY_BUSY:
    'The first request with this Idempotency-Key is still being worked on; try again shortly.',
  RATE_LIMITED: 'Too many requests; wait as Retry-After says.',
  CURSOR_INVALID: 'The cursor was not made by this listing.',
  AT_INVALID:
    'The time is neither position:N, revision:N nor an RFC 3339 instant that the log knows.',
  TIMEOUT: 'The work took longer than allowed.',
  UNAVAILABLE: 'The database cannot be reached just now.',
  // set-up and commands
  CONFIG_INVALID: 'A setting is unknown or has a value it cannot have.',
  DATABASE_UNSAFE:
    'The database may lose acknowledged writes (fsync or synchronous_commit is off).',
  DATABASE_TOO_OLD: 'PostgreSQL 15 or newer is needed.',
  DATABASE_NEWER: 'The database was migrated by a newer rm3.',
  DATABASE_NOT_FOUND: 'No PostgreSQL could be found or started.',
  PORT_IN_USE: 'Another program listens on that port.',
  DISK_FULL: 'There is no space left where rm3 keeps its data.',
  FILE_FAILED: 'The system could not read or write a file; the message names it.',
  PROJECTION_NOT_FOUND: 'There is no such projection.',
  PROJECTION_STATE: 'The projection is not in a state in which that can be done.',
  USAGE: 'The command was called wrongly; --help tells how.',
  SITE_NOT_EMPTY: 'The site has content already.',
  SOURCE_NOT_FOUND: 'The file or folder to read does not exist.',
  SOURCE_DAMAGED: 'The backup or file is damaged; file and place are named.',
  BACKUP_DAMAGED: 'The backup is not what was written; each damaged file is named.',
  BACKUP_INCOMPLETE: 'Something that belongs to the backup is not there.',
  BACKUP_NEWER:
    'The backup was written by a newer rm3, or in a format that this one does not know.',
  TARGET_EXISTS: 'What is to be written is there already.',
  TARGET_IN_USE: 'Another process is writing there.',
  PROGRAM_MISSING: 'A program that this needs is not installed.',
  BLOB_MISSING: 'The bytes of a blob are not in the blob store.',
  KEY_INVALID: 'What was given as a recipient or identity of age is none.',
  WRONG_KEY: 'The backup is encrypted, and no key that was given opens it.',
  // workers
  WORKER_NOT_FOUND: 'There is no such worker.',
  WORKER_BUSY: 'The worker is running already.',
  WORKER_FAILED: 'The run of the worker failed.',
  LEASE_LOST: 'Another process has taken over the work.',
} as const

export type ErrorCode = keyof typeof ERROR_CODES

/** A caller's mistake or a conflict. A bug is an `assert`, never one of these. */
export class Rm3Error extends Error {
  readonly code: ErrorCode
  /** Values that say which and where; safe to show to the caller. */
  readonly details: Record<string, unknown>

  /** @param details values for the caller; a `cause` among them is kept as the error's cause and not shown */
  constructor(code: ErrorCode, message: string, details: Record<string, unknown> = {}) {
    const { cause, ...shown } = details
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'Rm3Error'
    this.code = code
    this.details = shown
  }
}

/** Whether `thrown` is an Rm3Error, of that code when one is given. */
export function isRm3Error(thrown: unknown, code?: ErrorCode): thrown is Rm3Error {
  return thrown instanceof Rm3Error && (code === undefined || thrown.code === code)
}
