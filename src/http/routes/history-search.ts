import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { parsePath } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import { viewerOf } from '../../queries/reader.ts'
import {
  searchHistory,
  WORDING_CHARS_MAX,
  WORDINGS_DEFAULT,
  WORDINGS_MAX,
} from '../../queries/search-history.ts'
import type { HttpContext } from '../context.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sendJson } from '../reply.ts'
import { AFTER, answers, listOf, query, REVISION_ENTRY, whole } from '../schemas.ts'

interface SearchRequest {
  Querystring: { q?: string; under?: string; limit?: number; after?: string }
}

const ENTRY = Type.Union([REVISION_ENTRY, Type.Null()])
const WORDING = Type.Object({
  entityId: Type.String(),
  path: Type.String(),
  title: Type.String(),
  sentence: Type.String({ description: 'Plain text' }),
  times: Type.Array(Type.Object({ appeared: ENTRY, vanished: ENTRY, stands: Type.Boolean() })),
})

/** `GET /api/history/search`. */
export function historySearchRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.get<SearchRequest>(
    '/api/history/search',
    {
      config: { access: 'history' },
      schema: {
        tags: ['history'],
        summary: 'When words appeared on pages, and when they vanished',
        querystring: query({
          q: Type.String({ maxLength: WORDING_CHARS_MAX, description: 'Words in their order' }),
          under: Type.String({ maxLength: 2_000, description: 'Only at this path and below' }),
          limit: whole(1, WORDINGS_MAX),
          after: AFTER,
        }),
        response: answers({ 200: listOf(WORDING) }),
      },
    },
    async (request, reply) => {
      const { q = '', under, limit = WORDINGS_DEFAULT, after = null } = request.query
      if (q.trim() === '') {
        throw new Rm3Error('REQUEST_INVALID', 'q: say what to search for', { parameter: 'q' })
      }
      const viewer = await viewerOf(site, readerOf(request))
      const asked = { words: q, under: under === undefined ? null : parsePath(under) }
      return sendJson(
        reply,
        JSON.stringify(await searchHistory(site, viewer, asked, { limit, after })),
      )
    },
  )
}
