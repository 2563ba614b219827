import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { parsePath } from '../../content/path.ts'
import { DEEDS_DEFAULT, DEEDS_MAX, readActivity } from '../../queries/activity.ts'
import { demandMoment, pastPosition } from '../../queries/at.ts'
import { viewerOf } from '../../queries/reader.ts'
import type { HttpContext } from '../context.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sendTimed } from '../reply.ts'
import { AFTER, AT, answers, INSTANT, listOf, query, whole } from '../schemas.ts'

interface ActivityRequest {
  Querystring: { actor?: string; path?: string; limit?: number; after?: string }
}

const NULLABLE_TEXT = Type.Union([Type.String(), Type.Null()])

const DEED = Type.Object({
  position: Type.Integer(),
  type: Type.String(),
  entityId: Type.String(),
  revision: Type.Integer(),
  path: NULLABLE_TEXT,
  actor: Type.String(),
  door: NULLABLE_TEXT,
  note: NULLABLE_TEXT,
  at: INSTANT,
})

/** `GET /api/activity`. */
export function activityRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.get<ActivityRequest>(
    '/api/activity',
    {
      config: { access: 'history', asOf: true },
      schema: {
        tags: ['history'],
        summary: 'Who did what when, newest first',
        querystring: query({
          actor: Type.String({
            pattern: '^[a-z0-9-]{1,64}$',
            description: 'Entity id of a user, or root, nobody, system',
          }),
          path: Type.String({ maxLength: 2_000, description: 'Only what was done at this path' }),
          limit: whole(1, DEEDS_MAX),
          after: AFTER,
          at: AT,
        }),
        response: answers({ 200: listOf(DEED) }),
      },
    },
    async (request, reply) => {
      const { actor = null, path, limit = DEEDS_DEFAULT, after = null } = request.query
      const viewer = await viewerOf(site, readerOf(request))
      const when = demandMoment(request.at)
      const where = path === undefined ? null : parsePath(path)
      const asked = { actor, path: where, until: pastPosition(when) }
      const found = await readActivity(site, viewer, asked, { limit, after })
      return sendTimed(request, reply, when, JSON.stringify(found))
    },
  )
}
