import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { parsePath } from '../../content/path.ts'
import { MEMENTOS_MAX } from '../../queries/mementos.ts'
import type { HttpContext } from '../context.ts'
import { recordUrls } from '../memento.ts'
import { AFTER, answers, PATH_PARAMS, query, whole } from '../schemas.ts'
import { sendTimemap } from '../timemap.ts'

const MEMENTO = Type.Object({
  uri: Type.String(),
  datetime: Type.String(),
  position: Type.Integer(),
})
const TEXT = Type.Union([Type.String(), Type.Null()])
const TIMEMAP = Type.Object({
  original_uri: Type.String(),
  timegate_uri: Type.String(),
  self: Type.String(),
  mementos: Type.Object({ first: MEMENTO, last: MEMENTO, list: Type.Array(MEMENTO) }),
  next_uri: TEXT,
  next: TEXT,
})

interface TimemapRequest {
  Params: { path: string }
  Querystring: { limit?: number; after?: string; format?: 'json' | 'link' }
}

/** `GET /api/pages/PATH/timemap`. */
export function timemapRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.get<TimemapRequest>(
    '/api/pages/:path/timemap',
    {
      config: { access: 'history' },
      schema: {
        tags: ['history'],
        summary: 'When there was something else at the path (RFC 7089), oldest first',
        params: PATH_PARAMS,
        querystring: query({
          format: Type.Enum(['link', 'json'], { description: 'link-format (RFC 6690) or JSON' }),
          limit: whole(1, MEMENTOS_MAX),
          after: AFTER,
        }),
        response: answers({ 200: TIMEMAP }),
      },
    },
    async (request, reply) => {
      const path = parsePath(request.params.path)
      const { accept = '' } = request.headers
      const { format = accept.includes('application/json') ? 'json' : 'link' } = request.query
      return sendTimemap(site, request, reply, { path, format, urls: recordUrls(path) })
    },
  )
}
