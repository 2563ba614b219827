/**
 * API tokens, session ids and CSRF tokens.
 *
 * Whoever reads the database must not be able to log in with what is there, so of tokens and session ids it holds only
 * the SHA-256. That is enough without salt or stretching: they are 256 random bits.
 */
import { createHash, createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'

const SECRET_BYTES = 32
const UUID_BYTES = 16
/** 48 bytes in base64url: no padding and no spare bits, so a token has one spelling. */
const TOKEN = /^rm3_([A-Za-z0-9_-]{64})$/
/** 32 bytes; the last character has two spare bits, which are 0. */
const SESSION = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

export interface NewToken {
  /** uuid; not secret. */
  readonly id: string
  /** `rm3_` and 64 characters out of A-Z, a-z, 0-9, - and _: the id and the secret. To be shown once. */
  readonly token: string
  /** 32 bytes, to be stored. */
  readonly hash: Buffer
}

export interface NewSession {
  /** 43 characters out of A-Z, a-z, 0-9, - and _, for the cookie. */
  readonly session: string
  /** 32 bytes, to be stored. */
  readonly hash: Buffer
}

/** A new API token. */
export function newToken(): NewToken {
  const id = randomUUID()
  const bytes = Buffer.concat([
    Buffer.from(id.replaceAll('-', ''), 'hex'),
    randomBytes(SECRET_BYTES),
  ])
  const token = `rm3_${bytes.toString('base64url')}`
  return { id, token, hash: hashOf(token) }
}

/**
 * The id by which a token's row is found and the hash it must have (`isSameHash`).
 *
 * @returns null when `text` is not of a token's form
 */
export function parseToken(text: unknown): { id: string; hash: Buffer } | null {
  if (typeof text !== 'string') return null
  const [, encoded] = TOKEN.exec(text) ?? []
  if (encoded === undefined) return null
  const hex = Buffer.from(encoded, 'base64url').toString('hex', 0, UUID_BYTES)
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return { id, hash: hashOf(text) }
}

/** A new session id. */
export function newSession(): NewSession {
  const session = randomBytes(SECRET_BYTES).toString('base64url')
  return { session, hash: hashOf(session) }
}

/**
 * The hash by which a session is found. Finding it by an index is safe: who guesses cannot steer the hash.
 *
 * @param text the cookie's value
 * @returns null when it is not of a session id's form
 */
export function parseSession(text: unknown): { hash: Buffer } | null {
  return typeof text === 'string' && SESSION.test(text) ? { hash: hashOf(text) } : null
}

/** Whether two hashes are the same, in a time that says nothing about where they differ. */
export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * The token a form of this session carries: 43 characters, the same for the whole session.
 *
 * @param sessionId the cookie's value
 * @param key the site's secret
 */
export function csrfToken(sessionId: string, key: string | Uint8Array): string {
  return createHmac('sha256', key).update(`csrf\n${sessionId}`).digest('base64url')
}

/** Whether `token` is this session's; false for anything else, also of another type. */
export function isCsrfToken(token: unknown, sessionId: string, key: string | Uint8Array): boolean {
  if (typeof token !== 'string') return false
  return isSameHash(Buffer.from(token), Buffer.from(csrfToken(sessionId, key)))
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
