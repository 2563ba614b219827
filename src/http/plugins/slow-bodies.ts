import type { FastifyInstance } from 'fastify'
import { hasBody } from './bodies.ts'

/** A body but a file's is there by then, from its headers on. */
const BODY_TIMEOUT_MS = 30_000
const TIMED_OUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'

/** Cuts off who sends a body slowly; a file may take as long as the server allows any request. */
export function addSlowBodies(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    const { raw, routeOptions } = request
    if (hasBody(request) && routeOptions.config.streamed !== true) {
      const timer = setTimeout(() => {
        raw.socket.end(TIMED_OUT, () => raw.socket.destroy())
      }, BODY_TIMEOUT_MS)
      timer.unref()
      raw.once('end', () => clearTimeout(timer))
      raw.once('close', () => clearTimeout(timer))
    }
    done()
  })
}
