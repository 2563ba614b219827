import type { FastifyReply, FastifyRequest } from 'fastify'
import { policyOf } from '../../scheme/assets.ts'
import { isListed } from '../reply.ts'
import type { KeptPage } from './kept-pages.ts'

export const HTML_TYPE = 'text/html; charset=utf-8'

/** Sends a page, or 304 to who has it. */
export function sendHtml(
  request: FastifyRequest,
  reply: FastifyReply,
  { html, etag }: KeptPage,
): FastifyReply {
  // with a 304 too: a browser puts its headers in place of those it has
  reply.header('ETag', `"${etag}"`).header('Content-Security-Policy', policyOf(html))
  const known = request.headers['if-none-match']
  if (known !== undefined && isListed(known, etag)) return reply.code(304).send()
  return reply.header('Content-Type', HTML_TYPE).send(html)
}

/** Sends a page that is made for one answer only and not to be kept anywhere. */
export function sendFresh(reply: FastifyReply, html: string): FastifyReply {
  return reply
    .header('Content-Type', HTML_TYPE)
    .header('Content-Security-Policy', policyOf(html))
    .header('Cache-Control', 'no-store')
    .send(html)
}
