import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parseJson } from '../../codec/json.ts'
import { Rm3Error } from '../../errors.ts'

export const JSON_BODY = ['application/json'] as const
export const FORM_BODY = ['application/x-www-form-urlencoded'] as const
export const PATCH_BODIES = ['application/json-patch+json', 'application/merge-patch+json'] as const

/** What a file is sent as; curl -T sends no type at all. What it is, its bytes say. */
export const FILE_BODIES = [
  'application/octet-stream',
  'application/pdf',
  'image/*',
  'audio/*',
  'video/*',
] as const

const JSON_TYPES = [...JSON_BODY, ...PATCH_BODIES]
/** `type/subtype`, alone or with the one charset there is. */
const CONTENT_TYPE = /^([a-z]+\/[a-z0-9.+-]+)(?: *; *charset="?utf-8"?)?$/i
const FIELDS_MAX = 1_000

/**
 * Reads bodies: JSON strictly (`parseJson`), and forms where a route says so; a file is left to its route as a stream. What a route
 * does not consume is MEDIA_TYPE_UNSUPPORTED.
 */
export function addBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.decorateRequest('rawBody', null)
  server.addContentTypeParser(JSON_TYPES, { parseAs: 'buffer' }, (request, bytes, done) => {
    keepRaw(request, bytes as Buffer)
    done(null, bytes.length === 0 ? undefined : parseJson(bytes as Buffer, 'the body'))
  })
  server.addContentTypeParser([...FORM_BODY], { parseAs: 'buffer' }, (request, bytes, done) => {
    keepRaw(request, bytes as Buffer)
    done(null, parseForm(String(bytes)))
  })
  // what a route consumes beside these is a file, which is read by whoever keeps it
  server.addContentTypeParser('*', (_request, stream, done) => done(null, stream))
  server.addHook('onRequest', (request, _reply, done) => {
    // where there is no route, that is what is told
    if (request.method === 'GET' || request.method === 'HEAD' || request.is404) {
      done()
      return
    }
    done(hasBody(request) && !isConsumed(request) ? unsupported(request) : undefined)
  })
}

/** Whether a request says that a body follows. */
export function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

function isConsumed(request: FastifyRequest): boolean {
  const { 'content-type': type, 'content-encoding': encoding } = request.headers
  const consumes = consumedBy(request)
  if (encoding !== undefined) return false
  if (type === undefined) return consumes.includes('application/octet-stream')
  const [, media = ''] = CONTENT_TYPE.exec(type) ?? []
  if (media === '' || isGivenTwice(request.raw.rawHeaders)) return false
  const [family] = media.toLowerCase().split('/')
  return consumes.includes(media.toLowerCase()) || consumes.includes(`${family}/*`)
}

/** Whether there is more than one Content-Type, of which Node shows the first. @param rawHeaders names and values in turn */
function isGivenTwice(rawHeaders: readonly string[]): boolean {
  const names = rawHeaders.filter((_, n) => n % 2 === 0)
  return names.filter(name => name.toLowerCase() === 'content-type').length > 1
}

function consumedBy(request: FastifyRequest): readonly string[] {
  return request.routeOptions.config.consumes ?? JSON_BODY
}

function unsupported(request: FastifyRequest): Rm3Error {
  const consumes = consumedBy(request)
  const wanted =
    consumes.length === 0
      ? 'send no body with this'
      : `send the body as ${consumes.join(' or ')} in UTF-8, not compressed`
  return new Rm3Error('MEDIA_TYPE_UNSUPPORTED', wanted, { consumes })
}

/** Kept for whoever must tell this request from another. */
function keepRaw(request: FastifyRequest, bytes: Buffer): void {
  if (request.headers['idempotency-key'] !== undefined) request.rawBody = bytes
}

/** @throws REQUEST_INVALID for too many fields, or one twice */
function parseForm(text: string): Record<string, string> {
  const fields = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name) || fields.size >= FIELDS_MAX) {
      throw new Rm3Error('REQUEST_INVALID', 'the form has a field twice, or over 1000 of them')
    }
    fields.set(name, value)
  }
  return Object.fromEntries(fields)
}
