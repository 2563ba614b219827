import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the server is about to end. Set `begun` to have /health/ready say so before it does. */
    drain: Drain
  }
}

/** The end of a server, in steps. */
export interface Drain {
  begun: boolean
  /** Ends answers that would go on for ever; called when the server closes. */
  readonly streams: Set<() => void>
}

/**
 * Lets the server end gracefully: from `drain.begun` on it is not ready, and answers close their connections; on `close` the event
 * streams end, no connection is taken any more, and requests under way are answered.
 */
export function addDrain(server: FastifyInstance): void {
  const drain: Drain = { begun: false, streams: new Set() }
  server.decorate('drain', drain)
  server.addHook('onRequest', (_request, reply, done) => {
    if (drain.begun) reply.header('Connection', 'close')
    done()
  })
  server.addHook('preClose', done => {
    drain.begun = true
    for (const end of drain.streams) end()
    done()
  })
}
