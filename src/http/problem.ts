import { type ErrorCode, isRm3Error, Rm3Error } from '../errors.ts'

/** The HTTP status of every error a caller can meet. */
export const STATUS: Record<ErrorCode, number> = {
  REVISION_CONFLICT: 409,
  RIGHTS_CHANGED: 409,
  EVENT_ID_REUSED: 409,
  LOG_DAMAGED: 500,
  LOG_BUSY: 503,
  PAGE_NOT_FOUND: 404,
  PAGE_GONE: 410,
  REVISION_NOT_FOUND: 404,
  ERASED: 410,
  ERASURE_REFUSED: 409,
  PATH_INVALID: 400,
  PATH_TAKEN: 409,
  MOVE_INTO_ITSELF: 409,
  TREE_CHANGED: 409,
  PAGE_NOT_DELETED: 409,
  NOTHING_TO_PUBLISH: 409,
  DOCUMENT_INVALID: 422,
  PATCH_INVALID: 400,
  PATCH_TEST_FAILED: 409,
  JSON_INVALID: 400,
  BLOB_NOT_FOUND: 404,
  REDIRECT_INVALID: 422,
  SCHEDULE_NOT_FOUND: 404,
  PERMISSION_DENIED: 403,
  LOGIN_REQUIRED: 401,
  LOGIN_FAILED: 401,
  TOKEN_INVALID: 401,
  PATTERN_INVALID: 422,
  USER_NOT_FOUND: 404,
  USER_EXISTS: 409,
  ROLE_INVALID: 422,
  PASSWORD_INVALID: 422,
  TOKEN_NOT_FOUND: 404,
  CSRF_REFUSED: 403,
  REQUEST_INVALID: 400,
  BODY_TOO_LARGE: 413,
  HEADERS_TOO_LARGE: 431,
  REQUEST_TOO_SLOW: 408,
  MEDIA_TYPE_UNSUPPORTED: 415,
  METHOD_NOT_ALLOWED: 405,
  ROUTE_NOT_FOUND: 404,
  RANGE_INVALID: 416,
  IF_MATCH_REQUIRED: 428,
  IF_MATCH_STALE: 412,
  IDEMPOTENCY_KEY_REUSED: 422,
  IDEMPOTENCY_KEY_BUSY: 409,
  RATE_LIMITED: 429,
  CURSOR_INVALID: 400,
  AT_INVALID: 400,
  TIMEOUT: 503,
  UNAVAILABLE: 503,
  CONFIG_INVALID: 500,
  DATABASE_UNSAFE: 500,
  DATABASE_TOO_OLD: 500,
  DATABASE_NEWER: 503,
  DATABASE_NOT_FOUND: 503,
  PORT_IN_USE: 500,
  DISK_FULL: 507,
  FILE_FAILED: 500,
  PROJECTION_NOT_FOUND: 404,
  PROJECTION_STATE: 409,
  USAGE: 500,
  SITE_NOT_EMPTY: 409,
  SOURCE_NOT_FOUND: 500,
  SOURCE_DAMAGED: 500,
  BACKUP_DAMAGED: 500,
  BACKUP_INCOMPLETE: 500,
  BACKUP_NEWER: 500,
  TARGET_EXISTS: 500,
  TARGET_IN_USE: 500,
  PROGRAM_MISSING: 500,
  BLOB_MISSING: 500,
  KEY_INVALID: 500,
  WRONG_KEY: 500,
  WORKER_NOT_FOUND: 404,
  WORKER_BUSY: 409,
  WORKER_FAILED: 500,
  LEASE_LOST: 409,
}

/** An error as the API tells it: RFC 9457, with the code and the id of the request. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly requestId: string
  readonly [extension: string]: unknown
}

/** What an error becomes for the caller. */
export interface ProblemAnswer {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'
/** Details that stay inside: ids of streams and names of files mean nothing to callers. */
const KEPT_INSIDE = new Set(['stream', 'file', 'cause'])
const OWN_MEMBERS = new Set(['type', 'title', 'status', 'detail', 'code', 'requestId'])
const RETRY_SECONDS = 2

/**
 * The answer to an error, and never a stack, a statement or a file's path: what is not an Rm3Error is told as INTERNAL, and errors on
 * our side by their title alone.
 */
export function problemOf(thrown: unknown, requestId: string): ProblemAnswer {
  const error = rm3ErrorOf(thrown)
  if (error === null) return { problem: internal(requestId), headers: {} }
  const { code, message, details } = error
  const status = STATUS[code]
  const ours = status >= 500
  const shown = Object.entries(details).filter(
    ([key]) => !ours && !KEPT_INSIDE.has(key) && !OWN_MEMBERS.has(key),
  )
  const problem = {
    type: `urn:rm3:error:${code.toLowerCase().replaceAll('_', '-')}`,
    title: TITLES[status] ?? 'Error',
    status,
    detail: ours ? (OURS[code] ?? 'Something went wrong on our side.') : message,
    code,
    requestId,
    ...Object.fromEntries(shown),
  }
  return { problem, headers: headersOf(error, status) }
}

/** Whether an error is ours and has to be looked at. */
export function isOurs(thrown: unknown): boolean {
  const error = rm3ErrorOf(thrown)
  return error === null || STATUS[error.code] >= 500
}

function internal(requestId: string): Problem {
  return {
    type: 'urn:rm3:error:internal',
    title: TITLES[500] ?? '',
    status: 500,
    detail: 'Something went wrong on our side; the id of the request leads to it in the log.',
    code: 'INTERNAL',
    requestId,
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  422: 'Unprocessable Content',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  507: 'Insufficient Storage',
}

/** What is told of errors on our side. */
const OURS: Partial<Record<ErrorCode, string>> = {
  LOG_BUSY: 'Too many writes are waiting; try again shortly.',
  TIMEOUT: 'The work took longer than allowed.',
  UNAVAILABLE: 'The database cannot be reached just now; try again shortly.',
  DISK_FULL: 'The server has no space left.',
}

function headersOf(error: Rm3Error, status: number): Record<string, string> {
  const { code, details } = error
  const etag = code === 'IF_MATCH_STALE' ? details['etag'] : undefined
  const wait = details['retryAfterSeconds']
  const seconds = typeof wait === 'number' ? wait : status === 503 ? RETRY_SECONDS : undefined
  const allow = details['allow']
  const size = code === 'RANGE_INVALID' ? details['sizeBytes'] : undefined
  return {
    ...(typeof etag === 'string' && { ETag: `"${etag}"` }),
    ...(seconds !== undefined && { 'Retry-After': String(seconds) }),
    ...(typeof allow === 'string' && { Allow: allow }),
    ...(size !== undefined && { 'Content-Range': `bytes */${String(size)}` }),
    ...(code === 'TOKEN_INVALID' && { 'WWW-Authenticate': 'Bearer error="invalid_token"' }),
    ...(code === 'LOGIN_REQUIRED' && { 'WWW-Authenticate': 'Bearer' }),
  }
}

/** fastify's own errors, by code. */
const FASTIFY: Readonly<Record<string, [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'the body is larger than allowed'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'MEDIA_TYPE_UNSUPPORTED',
    'the body is of a type that is not understood here',
  ],
  FST_ERR_CTP_EMPTY_TYPE: ['MEDIA_TYPE_UNSUPPORTED', 'the body has no Content-Type'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['JSON_INVALID', 'the body is empty'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['JSON_INVALID', 'the body is not JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'REQUEST_INVALID',
    'the body is not as long as Content-Length says',
  ],
  FST_ERR_BAD_URL: ['REQUEST_INVALID', 'the URL is malformed'],
  FST_ERR_MAX_PARAM_LENGTH: ['REQUEST_INVALID', 'the URL is too long'],
  FST_ERR_ROUTE_METHOD_NOT_SUPPORTED: ['METHOD_NOT_ALLOWED', 'the method is not known'],
}

/** An Rm3Error for what the caller caused, whoever noticed; null for a bug. */
function rm3ErrorOf(thrown: unknown): Rm3Error | null {
  if (isRm3Error(thrown)) return thrown
  if (!(thrown instanceof Error)) return null
  const { code, statusCode } = thrown as { code?: unknown; statusCode?: unknown }
  const known = typeof code === 'string' && Object.hasOwn(FASTIFY, code) ? FASTIFY[code] : undefined
  if (known !== undefined) return new Rm3Error(known[0], known[1])
  const callers = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
  return callers ? new Rm3Error('REQUEST_INVALID', 'the request is malformed') : null
}
