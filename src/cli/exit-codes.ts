import { type ErrorCode, Rm3Error } from '../errors.ts'

/** What a command's exit code says. Anything but 0 leaves things as they were. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  sourceIncomplete: 3,
  notFound: 10,
  inUse: 11,
  wrongKey: 12,
  verificationFailed: 13,
  targetExists: 14,
  versionIncompatible: 15,
  noSpace: 28,
  interrupted: 130,
  terminated: 143,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The exit code of every error. */
export const EXIT_CODES: Readonly<Record<ErrorCode, ExitCode>> = {
  REVISION_CONFLICT: EXIT.inUse,
  RIGHTS_CHANGED: EXIT.inUse,
  EVENT_ID_REUSED: EXIT.failed,
  LOG_DAMAGED: EXIT.verificationFailed,
  LOG_BUSY: EXIT.inUse,
  PAGE_NOT_FOUND: EXIT.notFound,
  PAGE_GONE: EXIT.notFound,
  REVISION_NOT_FOUND: EXIT.notFound,
  ERASED: EXIT.notFound,
  ERASURE_REFUSED: EXIT.failed,
  PATH_INVALID: EXIT.usage,
  PATH_TAKEN: EXIT.targetExists,
  MOVE_INTO_ITSELF: EXIT.usage,
  TREE_CHANGED: EXIT.inUse,
  PAGE_NOT_DELETED: EXIT.failed,
  NOTHING_TO_PUBLISH: EXIT.failed,
  DOCUMENT_INVALID: EXIT.failed,
  PATCH_INVALID: EXIT.failed,
  PATCH_TEST_FAILED: EXIT.failed,
  JSON_INVALID: EXIT.failed,
  BLOB_NOT_FOUND: EXIT.notFound,
  REDIRECT_INVALID: EXIT.usage,
  SCHEDULE_NOT_FOUND: EXIT.notFound,
  PERMISSION_DENIED: EXIT.failed,
  LOGIN_REQUIRED: EXIT.failed,
  LOGIN_FAILED: EXIT.failed,
  TOKEN_INVALID: EXIT.failed,
  PATTERN_INVALID: EXIT.usage,
  USER_NOT_FOUND: EXIT.notFound,
  USER_EXISTS: EXIT.targetExists,
  ROLE_INVALID: EXIT.usage,
  PASSWORD_INVALID: EXIT.usage,
  TOKEN_NOT_FOUND: EXIT.notFound,
  CSRF_REFUSED: EXIT.failed,
  REQUEST_INVALID: EXIT.usage,
  BODY_TOO_LARGE: EXIT.failed,
  MEDIA_TYPE_UNSUPPORTED: EXIT.failed,
  METHOD_NOT_ALLOWED: EXIT.failed,
  ROUTE_NOT_FOUND: EXIT.notFound,
  RANGE_INVALID: EXIT.failed,
  IF_MATCH_REQUIRED: EXIT.failed,
  IF_MATCH_STALE: EXIT.inUse,
  IDEMPOTENCY_KEY_BUSY: EXIT.inUse,
  IDEMPOTENCY_KEY_REUSED: EXIT.failed,
  RATE_LIMITED: EXIT.inUse,
  CURSOR_INVALID: EXIT.usage,
  AT_INVALID: EXIT.usage,
  TIMEOUT: EXIT.failed,
  UNAVAILABLE: EXIT.failed,
  CONFIG_INVALID: EXIT.usage,
  DATABASE_UNSAFE: EXIT.failed,
  DATABASE_TOO_OLD: EXIT.versionIncompatible,
  DATABASE_NEWER: EXIT.versionIncompatible,
  DATABASE_NOT_FOUND: EXIT.notFound,
  PORT_IN_USE: EXIT.inUse,
  DISK_FULL: EXIT.noSpace,
  PROJECTION_NOT_FOUND: EXIT.notFound,
  PROJECTION_STATE: EXIT.failed,
  USAGE: EXIT.usage,
  SITE_NOT_EMPTY: EXIT.targetExists,
  SOURCE_NOT_FOUND: EXIT.notFound,
  SOURCE_DAMAGED: EXIT.sourceIncomplete,
  BACKUP_DAMAGED: EXIT.verificationFailed,
  BACKUP_INCOMPLETE: EXIT.sourceIncomplete,
  BACKUP_NEWER: EXIT.versionIncompatible,
  TARGET_EXISTS: EXIT.targetExists,
  TARGET_IN_USE: EXIT.inUse,
  PROGRAM_MISSING: EXIT.notFound,
  BLOB_MISSING: EXIT.sourceIncomplete,
  KEY_INVALID: EXIT.usage,
  WRONG_KEY: EXIT.wrongKey,
  WORKER_NOT_FOUND: EXIT.notFound,
  WORKER_BUSY: EXIT.inUse,
  WORKER_FAILED: EXIT.failed,
  LEASE_LOST: EXIT.inUse,
}

/** The exit code for whatever a command threw; 1 for a bug. */
export function exitCodeOf(thrown: unknown): ExitCode {
  if (thrown instanceof Rm3Error) return EXIT_CODES[thrown.code]
  return isNoSpace(thrown) ? EXIT.noSpace : EXIT.failed
}

function isNoSpace(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOSPC'
}
