import { type Account, findAccountAtPath, findAccountByEmail } from '../../projections/accounts.ts'
import { findSecretOfUser, findToken, replaceSecret } from '../access/credentials.ts'
import { hashPassword, verifyNothing, verifyPassword } from '../access/password.ts'
import { isSameHash, parseToken } from '../access/secrets.ts'
import { findSession, startSession } from '../access/sessions.ts'
import type { Viewer } from '../access/viewer.ts'
import { Rm3Error } from '../errors.ts'
import type { Db } from '../pg/db.ts'
import { SCOPES, type Scope, userPath } from './accounts.ts'
import type { Site } from './change.ts'

/** A failed login is answered no sooner than this, whatever made it fail, so that the time tells nothing. */
const FAILURE_MS = 600

/**
 * Checks a password and begins a session.
 *
 * @param name login name or e-mail address
 * @returns the cookie's value
 * @throws LOGIN_FAILED, the same for an unknown user, a wrong password and a closed account; RATE_LIMITED
 */
export async function logIn(
  site: Site,
  name: string,
  password: string,
): Promise<{ session: string; account: Account }> {
  const started = Date.now()
  const account = await findByName(site.db, name)
  const secret = account && (await findSecretOfUser(site.db, account.id, 'password'))
  if (!account || !secret || account.disabled) {
    await verifyNothing(password)
    throw await failed(started)
  }
  const { ok, rehash } = await verifyPassword(password, secret.secret)
  if (!ok) throw await failed(started)
  // the password was kept in an older way, rm3 0.x's for example; nothing about it changed, so nothing is recorded
  if (rehash) await replaceSecret(site.db, secret, await hashPassword(password))
  const session = await startSession(site.db, account.id, secret.credential)
  if (session === null) throw await failed(started)
  return { session, account }
}

async function findByName(db: Db, name: string): Promise<Account | null> {
  if (name.length > 300 || /[\0\p{Surrogate}]/u.test(name)) return null
  if (name.includes('@')) return findAccountByEmail(db, name)
  try {
    return await findAccountAtPath(db, userPath(name))
  } catch {
    return null // not a login name at all
  }
}

async function failed(started: number): Promise<Rm3Error> {
  const rest = started + FAILURE_MS - Date.now()
  if (rest > 0) await new Promise(done => setTimeout(done, rest))
  return new Rm3Error('LOGIN_FAILED', 'user name or password is wrong')
}

/** Who a request speaks for, by its token or session. */
export interface Speaker {
  readonly viewer: Viewer
  readonly userId: string
  /** The token's id; null in a session. */
  readonly token: string | null
  /** The token's id, or that of the password that the session was begun with. */
  readonly credential: string
}

/** Whom a token speaks for, and what that rests on. */
export interface TokenSpeaker extends Speaker {
  readonly token: string
  /** RFC 3339, or null when it does not end. */
  readonly expires: string | null
  /** The position of the last change of rights when it was looked up. */
  readonly rightsPosition: number
}

/** @throws TOKEN_INVALID when the token is unknown, expired or revoked, or its user may not log in */
export async function speakerOfToken(site: Site, text: string): Promise<TokenSpeaker> {
  const parsed = parseToken(text)
  const found = parsed && (await findToken(site.db, parsed.id))
  const expired = found?.expires != null && found.expires <= site.now()
  const same = parsed && found && isSameHash(Buffer.from(found.secret, 'hex'), parsed.hash)
  if (!found || !same || expired || found.disabled) {
    throw new Rm3Error('TOKEN_INVALID', 'the token is unknown, expired or revoked')
  }
  const { userId, scope, credential, expires, rightsPosition } = found
  const viewer = await site.rights.viewer(site.db, rightsPosition, userId)
  return {
    viewer: limited(viewer, scope),
    userId,
    token: credential,
    credential,
    expires,
    rightsPosition,
  }
}

/** The speaker of a session, or null when the cookie names none that is alive. */
export async function speakerOfSession(site: Site, cookie: string): Promise<Speaker | null> {
  const session = await findSession(site.db, cookie)
  if (session === null || session.disabled) return null
  const viewer = await site.rights.viewer(site.db, session.rightsPosition, session.userId)
  return { viewer, userId: session.userId, token: null, credential: session.credential }
}

const READING = new Set(['view', 'viewdraft', 'history'])

/**
 * A viewer with only the rights that a token's scope leaves. It may not change its user's credentials either: a token
 * that reads must not make one that writes.
 */
function limited(viewer: Viewer, scope: string | null): Viewer {
  if (!SCOPES.includes(scope as Scope))
    return { ...viewer, isLimited: true, may: () => false, pathsWith: () => '^$' }
  if (scope === 'write') return viewer
  return {
    ...viewer,
    isLimited: true,
    may: (permission, path) => READING.has(permission) && viewer.may(permission, path),
    pathsWith: permission => (READING.has(permission) ? viewer.pathsWith(permission) : '^$'),
  }
}
