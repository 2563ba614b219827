import type { FastifyInstance } from 'fastify'
import type { Site } from '../../commands/change.ts'
import { untilReached } from '../../projector/standing.ts'

/** Longest that a write is held back for the projections that follow. */
const WAIT_MAX_SECONDS = 10

const WAIT = /(?:^|,)\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:[;,]|$)/i

/**
 * `Prefer: wait=SECONDS` (RFC 7240) on what changes something: the answer waits until every projection that follows the log has seen the
 * change, but no longer than that. `Preference-Applied` says that they have; without it the change is done all the same.
 */
export function addPreferWait(server: FastifyInstance, { db }: Site): void {
  server.addHook('onSend', async (request, reply) => {
    const { prefer } = request.headers
    if (prefer === undefined || request.method === 'GET' || request.method === 'HEAD') return
    const [, wanted] = WAIT.exec(String(prefer)) ?? []
    const position = Number(reply.getHeader('rm3-position') ?? 0)
    if (wanted === undefined || position === 0 || reply.statusCode >= 400) return
    const seconds = Math.min(Number(wanted), WAIT_MAX_SECONDS)
    // what cannot be asked must not turn a change that is done into an error
    const reached = await untilReached(db, position, seconds * 1000).catch(() => false)
    if (reached) reply.header('Preference-Applied', `wait=${seconds}`)
  })
}
