import type { Socket } from 'node:net'
import { Rm3Error } from '../errors.ts'
import { PROBLEM_TYPE, problemOf } from './problem.ts'

/** What Node calls bytes that did not become a request; everything else is malformed. */
const UNPARSED: Readonly<Record<string, () => Rm3Error>> = {
  HPE_HEADER_OVERFLOW: () =>
    new Rm3Error('HEADERS_TOO_LARGE', 'the address and the headers are larger than allowed'),
  ERR_HTTP_REQUEST_TIMEOUT: () => tooSlow(),
}

/** The error of a request that takes too long to arrive. */
export function tooSlow(): Rm3Error {
  return new Rm3Error('REQUEST_TOO_SLOW', 'the request took too long to arrive')
}

/** The error for bytes that Node's parser did not take for a request. @param code as Node names it */
export function unparsedError(code: string): Rm3Error {
  return UNPARSED[code]?.() ?? new Rm3Error('REQUEST_INVALID', 'this is not a request of HTTP/1.1')
}

/** Answers an error where there is no request to reply to, and closes the connection. */
export function answerRaw(socket: Socket, error: Rm3Error, requestId: string): void {
  const { problem } = problemOf(error, requestId)
  const body = JSON.stringify(problem)
  const lines = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `RM3-Request-Id: ${requestId}`,
    'X-Content-Type-Options: nosniff',
    'Cache-Control: no-store',
    'Connection: close',
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
