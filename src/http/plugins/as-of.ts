import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Site } from '../../commands/change.ts'
import { Rm3Error } from '../../errors.ts'
import { type Asked, type At, parseAsked, resolveAt } from '../../queries/at.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether `?at=` has the route answer as of another time; 'asked': the route looks up itself what can be `asked`. */
    asOf?: boolean | 'asked'
  }
  interface FastifyRequest {
    /** As of when the answer shall be, resolved once; null: now. */
    at: At | null
    /** As of when the answer shall be, left to the route to look up with what it reads; then `at` is null until that is done. */
    asked: Asked | null
  }
}

/** Resolves `?at=` where a route takes it: once for a request, so that all of an answer is of one time. */
export function addAsOf(server: FastifyInstance, { db }: Site): void {
  server.decorateRequest('at', null)
  server.decorateRequest('asked', null)
  server.addHook('preHandler', (request, _reply, done) => {
    const { at } = (request.query ?? {}) as { at?: unknown }
    const { asOf = false } = request.routeOptions.config
    if (at === undefined || asOf === false) {
      done()
      return
    }
    if (asOf === 'asked' && typeof at === 'string') request.asked = parseAsked(at)
    if (request.asked !== null) done()
    else resolve(request, at).then(() => done(), done)
  })

  async function resolve(request: FastifyRequest, at: unknown): Promise<void> {
    if (typeof at === 'string') request.at = await resolveAt(db, at)
    else throw new Rm3Error('REQUEST_INVALID', 'at is given more than once', { parameter: 'at' })
  }
}
