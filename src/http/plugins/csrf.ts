import type { FastifyInstance, FastifyRequest } from 'fastify'
import { csrfToken, isCsrfToken } from '../../access/secrets.ts'
import { Rm3Error } from '../../errors.ts'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
/** Signs tokens where the site has no secret: they then follow from the session's id, which nobody else knows. */
const OWN_KEY = 'rm3 csrf'

/**
 * Refuses what other sites have browsers send: an unsafe request whose `Origin` or `Sec-Fetch-Site` is another's, and one under a
 * session without the session's token in `X-CSRF-Token` or the form's field `_csrf`. A request with an API token is what no browser
 * sends by itself.
 */
export function addCsrf(server: FastifyInstance, secret: string | null): void {
  server.addHook('onRequest', (request, _reply, done) => {
    const foreign = !SAFE_METHODS.has(request.method) && !hasToken(request) && isForeign(request)
    done(foreign ? refused('it came from another site') : undefined)
  })
  server.addHook('preValidation', (request, _reply, done) => {
    const { sessionId } = request
    if (sessionId === null || SAFE_METHODS.has(request.method)) {
      done()
      return
    }
    const sent = request.headers['x-csrf-token'] ?? fieldOf(request.body)
    const good = isCsrfToken(sent, sessionId, secret ?? OWN_KEY)
    done(good ? undefined : refused("the session's token is missing or another session's"))
  })
}

/** The token that forms and scripts of this session send; null without a session. */
export function csrfTokenOf(request: FastifyRequest, secret: string | null): string | null {
  return request.sessionId === null ? null : csrfTokenOfSession(request.sessionId, secret)
}

/** The token of a session that has just begun. @param cookie its cookie's value */
export function csrfTokenOfSession(cookie: string, secret: string | null): string {
  return csrfToken(cookie, secret ?? OWN_KEY)
}

function hasToken(request: FastifyRequest): boolean {
  return request.speaker?.token != null
}

function isForeign(request: FastifyRequest): boolean {
  const { origin } = request.headers
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  return origin !== undefined && origin !== `${request.protocol}://${request.host}`
}

function fieldOf(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, '_csrf')) return undefined
  return (body as { _csrf: unknown })._csrf
}

function refused(why: string): Rm3Error {
  return new Rm3Error('CSRF_REFUSED', `the request is refused: ${why}`)
}
