import { setImmediate as endOfTurn } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import { type Change, change, type Site, type Written } from '../commands/change.ts'
import { isRm3Error } from '../errors.ts'
import { authorOf } from './plugins/speaker.ts'
import { isOurs } from './problem.ts'

const TRIES_MAX = 8

/**
 * Runs a change for whom a request speaks for. With a token it is written only while the rights are those that the token was looked up
 * with; when they have changed, the token is looked up and the change is run again.
 *
 * So it is, too, where the token was only remembered and the change is refused or changes nothing: neither is told to someone whose
 * token may be worth nothing by now.
 *
 * @param note where the body carries it
 * @throws as `change`; TOKEN_INVALID; RIGHTS_CHANGED when they changed `TRIES_MAX` times
 */
export async function changeBy<Result>(
  site: Site,
  request: FastifyRequest,
  work: (change: Change) => Promise<Result>,
  note?: string | null,
): Promise<Written<Result>> {
  // Changes that arrive in one turn of the event loop are decided one after the other: a tenth less time each than between parsing others.
  await endOfTurn()
  for (let tries = 1; ; tries++) {
    const { rightsAt, isRemembered } = request
    const author = await authorOf(site, request, note)
    try {
      const written = await change(site, { ...author, rightsAt }, work)
      if (written.events.length > 0 || !isRemembered) return written
    } catch (thrown) {
      const again = isRemembered ? !isOurs(thrown) : isRm3Error(thrown, 'RIGHTS_CHANGED')
      if (!again || tries === TRIES_MAX) throw thrown
    }
    await request.server.identify(request)
  }
}
