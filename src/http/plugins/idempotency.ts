import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Site } from '../../commands/change.ts'
import { readState } from '../../commands/states.ts'
import type { Entity } from '../../content/state.ts'
import { findEvent, readLog } from '../../log/read.ts'
import {
  type Claim,
  claimKey,
  digestOf,
  idempotencyKeyOf,
  type KeptAnswer,
  keepAnswer,
  releaseKey,
} from '../idempotency.ts'
import { JSON_TYPE, sendJson } from '../reply.ts'
import { type Essentials, essentialsOf } from '../write-answer.ts'
import { actorOf } from './speaker.ts'

const KEPT_HEADERS = ['content-type', 'etag', 'rm3-position', 'location'] as const
/** Most events that one request writes: a subtree that moves. */
const EVENTS_MAX = 10_000

/**
 * Heeds `Idempotency-Key` on routes that say so, for requests with a token or a session: the same request again gets the same answer,
 * for 24 hours. The ids of its events follow from the key too, so a request whose answer was lost with the server is found in
 * the log and not done twice.
 */
export function addIdempotency(server: FastifyInstance, site: Site): void {
  server.decorateRequest('claim', null)
  server.addHook('preHandler', async (request, reply) => {
    if (request.routeOptions.config.idempotent !== true || request.speaker === null) return
    const key = idempotencyKeyOf(request)
    if (key === null) return
    const claimed = await claimKey(site.db, { actor: actorOf(request), key }, digestOf(request))
    if ('status' in claimed) return replay(reply, claimed)
    request.claim = claimed
    const done = await findDone(site, claimed)
    if (done !== null) return sendDone(reply, done)
    return undefined
  })
  server.addHook('onSend', async (request, reply, payload) => {
    if (request.claim !== null) await settle(site, request.claim, reply, payload)
    return payload
  })
}

function replay(reply: FastifyReply, { status, headers, body }: KeptAnswer): FastifyReply {
  return reply.code(status).headers(headers).header('Idempotent-Replayed', 'true').send(body)
}

async function settle(
  site: Site,
  claim: Claim,
  reply: FastifyReply,
  payload: unknown,
): Promise<void> {
  const { statusCode: status } = reply
  const body = typeof payload === 'string' ? payload : ''
  if (status >= 500 || status === 429) return releaseKey(site.db, claim)
  const headers = KEPT_HEADERS.flatMap(name => {
    const value = reply.getHeader(name)
    return value === undefined ? [] : [[name, String(value)]]
  })
  await keepAnswer(site.db, claim, { status, headers: Object.fromEntries(headers), body })
}

/** What a request did before whose answer was lost, or null when it did nothing. */
async function findDone(site: Site, claim: Claim): Promise<Essentials[] | null> {
  const first = await findEvent(site.db, claim.eventId(0))
  if (first === null) return null
  const events = [first]
  while (events.length < EVENTS_MAX) {
    const { position } = events.at(-1) ?? first
    const [next] = await readLog(site.db, position, 1)
    if (next?.eventId !== claim.eventId(events.length)) break
    events.push(next)
  }
  const position = events.at(-1)?.position ?? first.position
  const done: Essentials[] = []
  for (const stream of new Set(events.map(event => event.stream))) {
    const revision = Math.max(...events.filter(e => e.stream === stream).map(e => e.revision))
    const state = await readState(site.db, stream, revision)
    if (state?.kind === 'entity') done.push(essentialsOf(state as Entity, events, position))
  }
  return done
}

function sendDone(reply: FastifyReply, done: readonly Essentials[]): FastifyReply {
  const [first] = done
  if (first === undefined) return reply.code(204).send()
  const batch = reply.request.routeOptions.url === '/api/batch'
  const position = Math.max(...done.map(one => one.position))
  reply.header('RM3-Position', position).header('Content-Type', JSON_TYPE)
  if (batch) return sendJson(reply, JSON.stringify({ position, results: done }))
  reply.header('ETag', `"${first.etag}"`)
  return sendJson(reply, JSON.stringify(first))
}
