import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isHttps } from '../cookies.ts'

const HSTS = 'max-age=31536000; includeSubDomains'

/** On every answer. */
const ALL = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const

/** Data is not to be shown or run by a browser at all. */
const DATA = {
  ...ALL,
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
} as const

/** Pages: our own styles, scripts and images, forms to us, in no one's frame. */
const HTML = {
  ...ALL,
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; media-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
} as const

const VARY = 'Accept, Authorization, Cookie'

/**
 * The headers that every answer has: its request id, what a browser may do with it, and how long it may be kept: errors not at all,
 * what someone logged in got only by his browser, the past for a while, everything else only when asked again. A route that knows better sets
 * `Cache-Control` or `Content-Security-Policy` itself.
 */
export function addHeaders(server: FastifyInstance): void {
  server.addHook('onSend', (request, reply, payload, done) => {
    reply.header('RM3-Request-Id', request.id)
    const policy = reply.getHeader('content-security-policy')
    reply.headers(isHtml(reply) ? HTML : DATA)
    if (policy !== undefined) reply.header('Content-Security-Policy', policy)
    if (reply.hasHeader('Memento-Datetime') && !reply.hasHeader('Link'))
      reply.header('Link', `<${withoutTime(request.url)}>; rel="original"`)
    if (!reply.hasHeader('Cache-Control'))
      reply.header('Cache-Control', cacheControl(request, reply))
    if (!reply.hasHeader('Vary')) reply.header('Vary', VARY)
    if (isHttps(request)) reply.header('Strict-Transport-Security', HSTS)
    done(null, payload)
  })
}

/** The same address of today. */
function withoutTime(url: string): string {
  const [pathname = '/', search = ''] = url.split('?', 2)
  const words = search.split('&').filter(word => word !== '' && !word.startsWith('at='))
  return words.length === 0 ? pathname : `${pathname}?${words.join('&')}`
}

function isHtml(reply: FastifyReply): boolean {
  const type = reply.getHeader('content-type')
  return typeof type === 'string' && type.startsWith('text/html')
}

function cacheControl(request: FastifyRequest, reply: FastifyReply): string {
  const { statusCode } = reply
  const { method } = request
  if (statusCode >= 400 || (method !== 'GET' && method !== 'HEAD')) return 'no-store'
  if (request.speaker !== null) return 'private, no-cache'
  return isForGood(request, reply) ? KEPT : 'no-cache'
}

/** What everyone may see of a time that is over. An hour, for rights are today's: one that is taken away counts within that. */
const KEPT = 'public, max-age=3600, immutable'

function isForGood({ at }: FastifyRequest, { statusCode }: FastifyReply): boolean {
  if (at === null || !('position' in at) || !at.settled) return false
  return statusCode < 300 || statusCode === 304
}
