import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { IMPORTS_MAX, readImports } from '../../queries/imports.ts'
import type { HttpContext } from '../context.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sendJson } from '../reply.ts'
import { AFTER, answers, listOf, query, UUID_TEXT, whole } from '../schemas.ts'

const IMPORT = Type.Object({
  id: UUID_TEXT,
  source: Type.Union([Type.String(), Type.Null()], { description: 'git, rm3 0.3.8, …, or a note' }),
  recordedAt: Type.String(),
  events: Type.Integer(),
  entities: Type.Integer(),
  first: Type.Integer({ description: 'Position of its first event' }),
  last: Type.Integer(),
})

/** `GET /api/imports`. */
export function importRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.get<{ Querystring: { limit?: number; after?: string } }>(
    '/api/imports',
    {
      config: { access: 'grant' },
      schema: {
        tags: ['administration'],
        summary: 'What was imported when, and from where; newest first',
        querystring: query({ limit: whole(1, IMPORTS_MAX), after: AFTER }),
        response: answers({ 200: listOf(IMPORT) }),
      },
    },
    async (request, reply) => {
      const { limit = IMPORTS_MAX, after = null } = request.query
      const part = await readImports(site, readerOf(request), { limit, after })
      return sendJson(reply, JSON.stringify(part))
    },
  )
}
