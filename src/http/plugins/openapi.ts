import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'

/** Describes all routes that have a schema, as OpenAPI 3.1; `server.swagger()` gives the document. */
export function addOpenApi(server: FastifyInstance): void {
  server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'rm3',
        description:
          'Pages with all their history. Errors are problem+json (RFC 9457) with a `code`; every answer has `RM3-Request-Id`.',
        version: '1',
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'An API token' },
          session: { type: 'apiKey', in: 'cookie', name: 'rm3', description: 'A session' },
        },
      },
    },
  })
}
