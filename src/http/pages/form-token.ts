import type { FastifyReply, FastifyRequest } from 'fastify'
import { csrfToken, isCsrfToken, newSession } from '../../access/secrets.ts'
import { isHttps } from '../cookies.ts'
import { csrfTokenOf } from '../plugins/csrf.ts'

const SECURE_NAME = '__Host-rm3-form'
const PLAIN_NAME = 'rm3-form'
const LIFE_SECONDS = 86_400
/** Signs tokens where the site has no secret: they then follow from the cookie alone, which other sites cannot read. */
const OWN_KEY = 'rm3 form'
const VALUE = /^[A-Za-z0-9_-]{43}$/

/**
 * The token of a form for who may not be logged in: that of the session, else one that belongs to a cookie of the browser, which is set
 * when it has none. So no other site can log someone in, also in browsers that do not tell where a form comes from.
 */
export function formToken(
  request: FastifyRequest,
  reply: FastifyReply,
  secret: string | null,
): string {
  const ofSession = csrfTokenOf(request, secret)
  if (ofSession !== null) return ofSession
  const known = formCookieOf(request)
  const value = known ?? newSession().session
  if (known === null) reply.header('Set-Cookie', cookie(request, value))
  return csrfToken(value, secret ?? OWN_KEY)
}

/** Whether a form sent that token, or came under a session (whose token has been checked). */
export function isOwnForm(request: FastifyRequest, token: unknown, secret: string | null): boolean {
  if (request.sessionId !== null) return true
  const value = formCookieOf(request)
  return value !== null && isCsrfToken(token, value, secret ?? OWN_KEY)
}

function formCookieOf(request: FastifyRequest): string | null {
  const wanted = `${nameFor(request)}=`
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const one = pair.trim()
    if (one.startsWith(wanted) && VALUE.test(one.slice(wanted.length))) {
      return one.slice(wanted.length)
    }
  }
  return null
}

function cookie(request: FastifyRequest, value: string): string {
  const secure = isHttps(request) ? '; Secure' : ''
  return `${nameFor(request)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${LIFE_SECONDS}${secure}`
}

function nameFor(request: FastifyRequest): string {
  return isHttps(request) ? SECURE_NAME : PLAIN_NAME
}
