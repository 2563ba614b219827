import { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { answerRaw, tooSlow } from '../raw-answer.ts'
import { hasBody } from './bodies.ts'

/** A body but a file's is there by then, from its headers on. */
const BODY_TIMEOUT_MS = 30_000

/** Cuts off who sends a body slowly; a file may take as long as the server allows any request. */
export function addSlowBodies(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    const { raw, routeOptions } = request
    // a request that is made inside the process has no connection that could be slow
    const isAwaited = hasBody(request) && raw.socket instanceof Socket
    if (isAwaited && routeOptions.config.streamed !== true) {
      const timer = setTimeout(() => answerRaw(raw.socket, tooSlow(), request.id), BODY_TIMEOUT_MS)
      timer.unref()
      raw.once('end', () => clearTimeout(timer))
      raw.once('close', () => clearTimeout(timer))
    }
    done()
  })
}
