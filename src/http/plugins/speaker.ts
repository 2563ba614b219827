import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Author, Site } from '../../commands/change.ts'
import { type Speaker, speakerOfSession } from '../../commands/login.ts'
import { RememberedTokens } from '../../commands/remembered-tokens.ts'
import { NOBODY } from '../../content/events.ts'
import { NOTE_MAX } from '../../content/limits.ts'
import { Rm3Error } from '../../errors.ts'
import { type Reader, viewerOf } from '../../queries/reader.ts'
import { sessionCookieOf } from '../cookies.ts'

const BEARER = /^bearer\b(?: +(\S+) *$)?/i

declare module 'fastify' {
  interface FastifyInstance {
    /** Looks up whom a request speaks for, however lately that was done. @throws TOKEN_INVALID */
    identify(request: FastifyRequest): Promise<void>
  }
}

/**
 * Finds out whom a request speaks for: `Authorization: Bearer TOKEN`, else the session's cookie, else anyone. A bad token is
 * TOKEN_INVALID; a cookie of a session that has ended is no cookie. On routes that say so a token that was looked up lately will do.
 */
export function addSpeaker(server: FastifyInstance, site: Site): void {
  const tokens = new RememberedTokens(site)
  server.decorate('identify', request => identify(site, tokens, request))
  server.decorateRequest('speaker', null)
  server.decorateRequest('rightsAt', null)
  server.decorateRequest('isRemembered', false)
  server.decorateRequest('sessionId', null)
  server.addHook('onRequest', (request, _reply, done) => {
    const { authorization, cookie } = request.headers
    if (authorization === undefined && cookie === undefined) {
      done()
      return
    }
    if (remember(tokens, request)) done()
    else identify(site, tokens, request).then(() => done(), done)
  })
}

/** Whether what is remembered of the request's token will do. */
function remember(tokens: RememberedTokens, request: FastifyRequest): boolean {
  const { remembered } = request.routeOptions.config
  // what is kept of a key's request is looked at before there is a change to prove the token by
  if (remembered !== true || request.headers['idempotency-key'] !== undefined) return false
  const token = bearerOf(request)
  const speaker = token === null ? null : tokens.find(token)
  if (speaker === null) return false
  request.speaker = speaker
  request.rightsAt = speaker.rightsPosition
  request.isRemembered = true
  return true
}

async function identify(
  site: Site,
  tokens: RememberedTokens,
  request: FastifyRequest,
): Promise<void> {
  const token = bearerOf(request)
  if (token !== null) {
    const speaker = await tokens.lookUp(token)
    request.speaker = speaker
    request.rightsAt = speaker.rightsPosition
    request.isRemembered = false
    return
  }
  const session = sessionCookieOf(request)
  const speaker = session === null ? null : await speakerOfSession(site, session)
  if (speaker === null) return
  request.speaker = speaker
  request.sessionId = session
}

/** The token of `Authorization: Bearer`, '' when it is malformed; null without that header. */
function bearerOf(request: FastifyRequest): string | null {
  const found = BEARER.exec(request.headers.authorization ?? '')
  return found === null ? null : (found[1] ?? '')
}

/** Who reads. */
export function readerOf(request: FastifyRequest): Reader {
  return request.speaker?.viewer ?? null
}

/** Who a request speaks for. @throws LOGIN_REQUIRED when it is anyone */
export function speakerOf(request: FastifyRequest): Speaker {
  if (request.speaker !== null) return request.speaker
  throw new Rm3Error('LOGIN_REQUIRED', 'log in, or send a token')
}

/**
 * Who writes, and how the log shall tell it: with the note of `RM3-Note`, the id of the request, and the token.
 *
 * @param note where the body carries it
 * @throws REQUEST_INVALID for a note that is too long or malformed
 */
export async function authorOf(
  site: Site,
  request: FastifyRequest,
  note?: string | null,
): Promise<Author> {
  const { speaker, claim } = request
  const viewer = await viewerOf(site, readerOf(request))
  const token = speaker?.token ?? null
  return {
    viewer,
    door: request.sessionId === null ? 'api' : 'ui',
    note: checkedNote(note ?? noteOf(request)),
    meta: { requestId: request.id, ...(token !== null && { token }) },
    ...(claim !== null && { eventId: index => claim.eventId(index) }),
  }
}

/** The actor that a request's changes are recorded under. */
export function actorOf(request: FastifyRequest): string {
  return request.speaker?.viewer.actor ?? NOBODY
}

function checkedNote(note: string | null): string | null {
  if (note === null || note === '') return null
  if (note.length <= NOTE_MAX && !note.includes('\0') && !/\p{Surrogate}/u.test(note)) return note
  throw new Rm3Error('REQUEST_INVALID', `the note has at most ${NOTE_MAX} characters, and no NUL`, {
    header: 'RM3-Note',
  })
}

const EXTENDED = /^utf-8'[A-Za-z0-9-]*'((?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-Fa-f]{2})*)$/i

/**
 * The note in `RM3-Note`: plain text in UTF-8, or as RFC 8187 writes it (`UTF-8''na%C3%AFve`).
 *
 * @throws REQUEST_INVALID when it is neither
 */
export function noteOf(request: FastifyRequest): string | null {
  const header = request.headers['rm3-note']
  if (typeof header !== 'string') return null
  const [, encoded] = EXTENDED.exec(header) ?? []
  try {
    if (encoded !== undefined) return decodeURIComponent(encoded)
    // Node reads header bytes as Latin-1
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'))
  } catch {
    throw new Rm3Error('REQUEST_INVALID', 'RM3-Note is neither UTF-8 nor written as RFC 8187', {
      header: 'RM3-Note',
    })
  }
}

/** A header that is true or false. @throws REQUEST_INVALID for anything else */
export function flagOf(request: FastifyRequest, name: 'RM3-Draft' | 'RM3-Minor'): boolean {
  const header = request.headers[name.toLowerCase()]
  if (header === undefined || header === 'false') return false
  if (header === 'true') return true
  throw new Rm3Error('REQUEST_INVALID', `${name} is true or false`, { header: name })
}
