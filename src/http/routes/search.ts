import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { parsePath } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import { demandMoment } from '../../queries/at.ts'
import { HITS_DEFAULT, HITS_MAX, searchPages, WORDS_CHARS_MAX } from '../../queries/search.ts'
import type { HttpContext } from '../context.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sendTimed } from '../reply.ts'
import { AFTER, AT, answers, INSTANT, listOf, query, whole } from '../schemas.ts'

interface SearchRequest {
  Querystring: { q?: string; parent?: string; hidden?: boolean; limit?: number; after?: string }
}

const HIT = Type.Object({
  path: Type.String(),
  entityId: Type.String(),
  title: Type.String(),
  proto: Type.String(),
  modified: INSTANT,
  score: Type.Integer({ description: 'The higher the better; good for nothing but comparing' }),
  snippet: Type.String({ description: 'Safe HTML: text, with <mark> around what was found' }),
})

/** `GET /api/search`. */
export function searchRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.get<SearchRequest>(
    '/api/search',
    {
      config: { access: 'view', asOf: true },
      schema: {
        tags: ['pages'],
        summary: 'Live pages with some words, best first; or those that had them then',
        querystring: query({
          q: Type.String({
            maxLength: WORDS_CHARS_MAX,
            description: 'Words; "a phrase"; or; -without',
          }),
          parent: Type.String({ maxLength: 2_000, description: 'Only pages below this path' }),
          hidden: Type.Boolean({ description: 'With hidden pages that one may edit' }),
          limit: whole(1, HITS_MAX),
          after: AFTER,
          at: AT,
        }),
        response: answers({ 200: listOf(HIT) }),
      },
    },
    async (request, reply) => {
      const { q = '', parent, hidden = false, limit = HITS_DEFAULT, after = null } = request.query
      if (q.trim() === '') {
        throw new Rm3Error('REQUEST_INVALID', 'q: say what to search for', { parameter: 'q' })
      }
      const below = parent === undefined ? null : parsePath(parent)
      const when = demandMoment(request.at)
      const asked = { words: q, below, hidden }
      const found = await searchPages(site, readerOf(request), asked, { limit, after, when })
      return sendTimed(request, reply, when, JSON.stringify(found))
    },
  )
}
