import { type Account, findAccountAtPath } from '../../projections/accounts.ts'
import { forgetSecrets, storeSecret } from '../access/credentials.ts'
import { hashPassword } from '../access/password.ts'
import { newToken } from '../access/secrets.ts'
import { forgetSessions } from '../access/sessions.ts'
import { denied, type Viewer } from '../access/viewer.ts'
import { removeCredential, setCredential } from '../content/decide-rights.ts'
import type { CredentialChange } from '../content/events.ts'
import { USERS_PATH } from '../content/path.ts'
import type { Entity } from '../content/state.ts'
import { isUser } from '../content/user.ts'
import { Rm3Error } from '../errors.ts'
import type { Db } from '../pg/db.ts'
import { type Author, type Change, change, type Site, type Written } from './change.ts'
import { createPage, demandCreate } from './pages.ts'

/** Enough to tell an address from a name; whether mail arrives there, only mail can tell. */
const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,255}$/
const LOGIN = /^[a-z0-9][a-z0-9_]{0,63}$/

export interface NewUser {
  /** Letters of any case, digits and `_`; kept in lower case. */
  readonly login: string
  readonly fullName: string
  readonly profile?: string
  readonly profileUrl?: string
  readonly email?: string
}

/** Makes a user, who cannot log in before a password is set. @throws REQUEST_INVALID, USER_EXISTS, PERMISSION_DENIED */
export async function addUser(change: Change, user: NewUser): Promise<Entity> {
  const path = userPath(user.login)
  demandCreate(change, path)
  if (await findAccountAtPath(change.site.db, path)) {
    throw new Rm3Error('USER_EXISTS', `there is a user "${user.login}" already`, {
      user: user.login,
    })
  }
  const { fullName, profile = '', profileUrl = '', email } = user
  if (email !== undefined && !EMAIL.test(email)) {
    throw new Rm3Error('REQUEST_INVALID', 'email is no address: write name@example.org', {
      email: email.slice(0, 80),
    })
  }
  if (profileUrl !== '' && !(/^https?:\/\//i.test(profileUrl) && URL.canParse(profileUrl))) {
    throw new Rm3Error(
      'REQUEST_INVALID',
      'the own site of a user begins with http:// or https://',
      { profileUrl: profileUrl.slice(0, 80) },
    )
  }
  const document = {
    proto: 'user',
    hidden: false,
    summary: { title: fullName, abstract: profile, profileUrl },
    data: { ...(email !== undefined && { email }) },
    tags: {},
  }
  return createPage(change, { path, document })
}

/** The path of a user by login name. @throws REQUEST_INVALID when it cannot be one */
export function userPath(login: string): string {
  const name = login.toLowerCase()
  if (!LOGIN.test(name)) {
    throw new Rm3Error(
      'REQUEST_INVALID',
      'a login name begins with a letter or digit and has letters, digits and _, at most 64',
      { user: login.slice(0, 80) },
    )
  }
  return `${USERS_PATH}.${name}`
}

/** The user with a login name. @throws USER_NOT_FOUND */
export async function getAccount(db: Db, login: string): Promise<Account> {
  const account = LOGIN.test(login.toLowerCase())
    ? await findAccountAtPath(db, userPath(login))
    : null
  if (account) return account
  throw new Rm3Error('USER_NOT_FOUND', `there is no user "${login.slice(0, 80)}"`, {
    user: login.slice(0, 80),
  })
}

/**
 * Sets a user's password; all sessions end, those of a login with the old one that is under way too.
 *
 * @throws PASSWORD_INVALID, USER_NOT_FOUND, LOGIN_REQUIRED, PERMISSION_DENIED, RATE_LIMITED
 */
export async function setPassword(
  site: Site,
  author: Author,
  userId: string,
  password: string,
): Promise<void> {
  const credential = { credential: site.newId(), provider: 'password' }
  const makeSecret = () => hashPassword(password)
  await setSecret(site, author, { userId, credential, makeSecret })
}

/**
 * Gives a user a password in a change that does more, such as making the user. The secret is stored at once, and counts when the
 * change is written. @throws PASSWORD_INVALID
 */
export async function recordPassword(
  change: Change,
  user: Entity,
  password: string,
): Promise<void> {
  const secret = await hashPassword(password)
  const credential = change.site.newId()
  await storeSecret(change.site.db, { credential, userId: user.id, secret })
  change.record(setCredential(user, { credential, provider: 'password' }))
}

/**
 * As `change`. The secrets of credentials that it removed, and the sessions begun with them, are forgotten afterwards: they are
 * void already, but nobody should keep what is of no use.
 */
export async function changeAndForget<Result>(
  site: Site,
  author: Author,
  work: (change: Change) => Promise<Result>,
): Promise<Written<Result>> {
  const written = await change(site, author, work)
  const removed = written.events.flatMap(event =>
    event.type === 'CredentialRemoved' ? [event.data.credential] : [],
  )
  if (removed.length > 0) {
    await forgetSessions(site.db, removed)
    await forgetSecrets(site.db, removed)
  }
  return written
}

/**
 * Keeps a secret and records that its credential is set; the ones it takes the place of are void.
 *
 * @param what `makeSecret` is called once, after it is known that the author may
 */
export async function setSecret(
  site: Site,
  author: Author,
  what: { userId: string; credential: CredentialChange; makeSecret: () => Promise<string> },
): Promise<Written<void>> {
  const { userId, credential, makeSecret } = what
  let secret: string | undefined
  return changeAndForget(site, author, async change => {
    const user = await userToChange(change, userId)
    secret ??= await makeSecret()
    await storeSecret(site.db, { credential: credential.credential, userId, secret })
    change.record(setCredential(user, credential))
  })
}

/** Token scopes: what a token may do of what its user may. */
export const SCOPES = ['read', 'write'] as const
export type Scope = (typeof SCOPES)[number]

export interface CreatedToken {
  readonly id: string
  /** To be shown once. */
  readonly token: string
  readonly user: string
  readonly scope: Scope
  readonly expires: string | null
}

/**
 * Makes an API token of a user.
 *
 * @param options `expires`: RFC 3339, not past
 * @throws REQUEST_INVALID, USER_NOT_FOUND, LOGIN_REQUIRED, PERMISSION_DENIED
 */
export async function createToken(
  site: Site,
  author: Author,
  options: { userId: string; label?: string; scope?: Scope; expires?: string },
): Promise<CreatedToken> {
  const { userId, label, scope = 'write' } = options
  const expires = options.expires === undefined ? undefined : laterInstant(site, options.expires)
  if (!SCOPES.includes(scope) || (label !== undefined && label.length > LABEL_MAX)) {
    throw new Rm3Error(
      'REQUEST_INVALID',
      `the scope of a token is ${SCOPES.join(' or ')}, and its label has at most ${LABEL_MAX} characters`,
    )
  }
  const { id, token, hash } = newToken()
  const credential = {
    credential: id,
    provider: 'token',
    scope,
    ...(label !== undefined && { label }),
    ...(expires !== undefined && { expires }),
  }
  const makeSecret = async () => hash.toString('hex')
  await setSecret(site, author, { userId, credential, makeSecret })
  return { id, token, user: userId, scope, expires: expires ?? null }
}

const LABEL_MAX = 200
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i

/** An instant to come, in UTC with milliseconds. @throws REQUEST_INVALID */
function laterInstant(site: Site, text: string): string {
  const time = RFC_3339.test(text) ? Date.parse(text) : Number.NaN
  if (time > Date.parse(site.now())) return new Date(time).toISOString()
  throw new Rm3Error('REQUEST_INVALID', 'expires is an RFC 3339 instant that is not past yet', {
    expires: text.slice(0, 80),
  })
}

/** Takes a token or another credential away; it is void at once. @throws TOKEN_NOT_FOUND, PERMISSION_DENIED */
export async function revokeCredential(
  site: Site,
  author: Author,
  options: { userId: string; credential: string },
): Promise<void> {
  await changeAndForget(site, author, async change => {
    const events = removeCredential(await userToChange(change, options.userId), options.credential)
    if (events.length === 0) {
      throw new Rm3Error('TOKEN_NOT_FOUND', `the user has no token ${options.credential}`, {
        id: options.credential,
      })
    }
    change.record(events)
  })
}

/** Users change their own credentials; those of others need the right `user.edit` on their path. @throws USER_NOT_FOUND, LOGIN_REQUIRED, PERMISSION_DENIED */
export async function userToChange(change: Change, userId: string): Promise<Entity> {
  const user = await findUser(change, userId)
  const isOwn = change.viewer.userId === userId && !change.viewer.isLimited
  if (isOwn && user !== null) return user
  return demandUser(change.viewer, user, { userId, permission: 'user.edit' })
}

/** The user that an entity is now, or null. */
export async function findUser(change: Change, userId: string): Promise<Entity | null> {
  const entity = await change.entity(userId)
  return entity !== null && isUser(entity) ? entity : null
}

/** @throws USER_NOT_FOUND also when the viewer may not see the user; LOGIN_REQUIRED or PERMISSION_DENIED */
export function demandUser(
  viewer: Viewer,
  user: Entity | null,
  wanted: { userId: string; permission: string },
): Entity {
  const { userId, permission } = wanted
  if (user !== null && viewer.may(permission, user.path)) return user
  if (user !== null && viewer.may('view', user.path)) throw denied(viewer, permission, user.path)
  throw new Rm3Error('USER_NOT_FOUND', 'there is no such user', { user: userId })
}
