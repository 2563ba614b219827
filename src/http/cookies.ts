import type { FastifyReply, FastifyRequest } from 'fastify'
import { SESSION_DAYS } from '../access/sessions.ts'
import { Rm3Error } from '../errors.ts'

/** The session's cookie over https: the prefix makes browsers refuse one that a neighbouring host has set. */
const SECURE_NAME = '__Host-rm3'
const PLAIN_NAME = 'rm3'
const LIFE_SECONDS = SESSION_DAYS * 86_400

/** The value of the session's cookie, or null. Over https only the one that was set over https counts. */
export function sessionCookieOf(request: FastifyRequest): string | null {
  const header = request.headers.cookie
  if (header === undefined) return null
  const wanted = `${isHttps(request) ? SECURE_NAME : PLAIN_NAME}=`
  for (const pair of header.split(';')) {
    const cookie = pair.trimStart()
    if (cookie.startsWith(wanted)) return cookie.slice(wanted.length).trimEnd()
  }
  return null
}

/**
 * Sets the session's cookie.
 *
 * @throws PERMISSION_DENIED over plain HTTP from another machine, unless the checks are disabled
 */
export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  value: string,
): void {
  reply.header('Set-Cookie', cookie(request, value, LIFE_SECONDS))
}

/** Has the browser forget the session's cookie. */
export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('Set-Cookie', cookie(request, '', 0))
}

/** @throws PERMISSION_DENIED where a password or a session would go over the network in the clear */
export function demandPrivateLine(request: FastifyRequest, checksDisabled: boolean): void {
  if (isHttps(request) || checksDisabled || isLoopback(request.ip)) return
  throw new Rm3Error('PERMISSION_DENIED', 'log in over https: this connection is not encrypted')
}

/** Whether an address is this machine's own. */
export function isLoopback(address: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/.test(address)
}

/** Whether the request came over https, to us or to a proxy that is believed. */
export function isHttps(request: FastifyRequest): boolean {
  return request.protocol === 'https'
}

function cookie(request: FastifyRequest, value: string, seconds: number): string {
  const secure = isHttps(request)
  const name = secure ? SECURE_NAME : PLAIN_NAME
  const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}`
  return `${name}=${value}; ${attributes}${secure ? '; Secure' : ''}`
}
