import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ANY_ETAG, type IfMatch } from '../content/if-match.ts'
import { Rm3Error } from '../errors.ts'
import type { Moment } from '../queries/at.ts'

export const JSON_TYPE = 'application/json; charset=utf-8'

/** Sends JSON that is text already. */
export function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.header('Content-Type', JSON_TYPE).send(json)
}

/**
 * Sends JSON with its ETag, or 304 when the caller has it. Only for what the caller may see: nothing is checked here.
 *
 * @param etag without quotes
 */
export function sendTagged(
  request: FastifyRequest,
  reply: FastifyReply,
  etag: string,
  json: () => string,
): FastifyReply {
  reply.header('ETag', `"${etag}"`)
  const known = request.headers['if-none-match']
  if (known !== undefined && isListed(known, etag)) return reply.code(304).send()
  return sendJson(reply, json())
}

/** Whether `If-None-Match` names an ETag, by the weak comparison of RFC 9110. */
export function isListed(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch.trim() === '*') return true
  return ifNoneMatch.split(',').some(tag => tag.trim().replace(/^W\//, '') === `"${etag}"`)
}

/** A list of ETags (RFC 9110, 5.6.1 and 8.8.3), in which places may be empty. */
const ETAGS = /^[\s,]*(?:W\/)?"[!#-~\x80-\xff]*"(?:\s*,[\s,]*(?:W\/)?"[!#-~\x80-\xff]*")*[\s,]*$/
const ETAG = /"([^"]*)"/g
/** Each may have to be looked up. */
const ETAGS_MAX = 50

/**
 * What `If-Match` asks for (RFC 9110, 13.1.1); null without that header. A weak ETag is taken for strong: proxies that compress make
 * them weak, and ours name a revision.
 *
 * @throws REQUEST_INVALID for what is neither `*` nor ETags, or more than `ETAGS_MAX`
 */
export function ifMatchOf(request: FastifyRequest): IfMatch | null {
  const header = request.headers['if-match']
  if (header === undefined) return null
  if (header.trim() === ANY_ETAG) return ANY_ETAG
  const etags = ETAGS.test(header) ? [...header.matchAll(ETAG)].map(([, etag = '']) => etag) : []
  if (etags.length > 0 && etags.length <= ETAGS_MAX) return etags
  throw new Rm3Error(
    'REQUEST_INVALID',
    `If-Match is *, or ETags as rm3 gave them, in quotes and with commas between, at most ${ETAGS_MAX}`,
    { header: 'If-Match' },
  )
}

/** As `ifMatchOf`. @throws IF_MATCH_REQUIRED without the header */
export function requireIfMatch(request: FastifyRequest): IfMatch {
  const etag = ifMatchOf(request)
  if (etag !== null) return etag
  throw new Rm3Error(
    'IF_MATCH_REQUIRED',
    'send If-Match with the ETag of the page as you read it, so that no other change gets lost',
  )
}

/** As `sendTagged` for an answer as of another time; the ETag follows from its bytes. Without a time it is sent as it is. */
export function sendTimed(
  request: FastifyRequest,
  reply: FastifyReply,
  moment: Moment | null,
  json: string,
): FastifyReply {
  if (moment === null) return sendJson(reply, json)
  sayMoment(reply, moment)
  return sendTagged(request, reply, etagOf(json), () => json)
}

/** A strong ETag, without quotes. */
export function etagOf(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 22)
}

/** As `sayWhen`. */
export function sayMoment(reply: FastifyReply, moment: Moment): void {
  if ('ahead' in moment) sayWhen(reply, moment.head, moment.ahead)
  else sayWhen(reply, moment.position, moment.recordedAt)
}

/** Sets the headers that say as of when an answer is true. @param recordedAt null: now */
export function sayWhen(reply: FastifyReply, position: number, recordedAt: string | null): void {
  reply.header('RM3-Position', position)
  if (recordedAt === null || recordedAt === '-infinity') return
  reply.header('Memento-Datetime', new Date(recordedAt).toUTCString())
}

/** Sends a reader to where somebody wrote that readers be sent; letters that no header takes are escaped. @param url as `isRedirect` takes it */
export function sendElsewhere(reply: FastifyReply, url: string): FastifyReply {
  return reply.redirect(url.replace(/[^\x21-\x7e]+/gu, encodeURIComponent), 302)
}
