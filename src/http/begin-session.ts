import type { FastifyRequest } from 'fastify'
import { listRoles } from '../../projections/accounts.ts'
import { endSession } from '../access/sessions.ts'
import type { Site } from '../commands/change.ts'
import { logIn } from '../commands/login.ts'
import type { HttpContext } from './context.ts'
import { demandPrivateLine, sessionCookieOf } from './cookies.ts'
import { csrfTokenOfSession } from './plugins/csrf.ts'
import { countTry, forgetTries, type Limit, networkOf } from './rate-limit.ts'

/** Failed logins that are let through. */
export const LOGINS_OF_ADDRESS: Limit = { name: 'login-address', max: 30, seconds: 600 }
export const LOGINS_OF_ACCOUNT: Limit = { name: 'login-account', max: 10, seconds: 600 }

/** A session that has begun: what goes into the cookie, and what the caller is told. */
export interface BegunSession {
  readonly cookie: string
  readonly answer: {
    readonly user: { readonly id: string; readonly path: string; readonly name: string }
    readonly roles: readonly string[]
    readonly csrfToken: string
  }
}

/**
 * Checks a password and begins a session; one that the request had ends. For the API and for forms.
 *
 * @throws LOGIN_FAILED, RATE_LIMITED, PERMISSION_DENIED over plain HTTP
 */
export async function beginSession(
  { site, options }: HttpContext,
  request: FastifyRequest,
  name: string,
  password: string,
): Promise<BegunSession> {
  demandPrivateLine(request, options.httpsChecksDisabled)
  const account = name.trim().toLowerCase()
  await countTry(site.db, LOGINS_OF_ADDRESS, networkOf(request.ip))
  await countTry(site.db, LOGINS_OF_ACCOUNT, account)
  const begun = await logIn(site, name, password)
  await forgetTries(site.db, LOGINS_OF_ACCOUNT, account)
  await endFormer(site, request)
  const { id, path, name: fullName } = begun.account
  const roles = await listRoles(site.db, id)
  const token = csrfTokenOfSession(begun.session, options.sessionSecret)
  return {
    cookie: begun.session,
    answer: { user: { id, path, name: fullName }, roles, csrfToken: token },
  }
}

async function endFormer(site: Site, request: FastifyRequest): Promise<void> {
  const former = sessionCookieOf(request)
  if (former !== null) await endSession(site.db, former)
}
