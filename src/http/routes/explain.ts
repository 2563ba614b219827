import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { PATH_MAX, ROLE_MAX } from '../../content/limits.ts'
import { parsePath } from '../../content/path.ts'
import { demandMoment, pastPosition } from '../../queries/at.ts'
import { explainRight } from '../../queries/explain.ts'
import type { HttpContext } from '../context.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sendTimed } from '../reply.ts'
import { AT, answers, body } from '../schemas.ts'

const TEXTS = Type.Array(Type.String())
const GRANTS = Type.Array(
  body({ role: Type.String(), permission: Type.String(), pattern: Type.String() }),
)
const EXPLANATION = body({
  user: Type.String(),
  permission: Type.String(),
  path: Type.String(),
  allowed: Type.Boolean(),
  roles: TEXTS,
  because: GRANTS,
  missing: GRANTS,
})

interface ExplainRequest {
  Querystring: { user: string; permission: string; path: string; at?: string }
}

/** `GET /api/explain`: for those with `grant` on the site. */
export function explainRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.get<ExplainRequest>(
    '/api/explain',
    {
      config: { access: 'grant', asOf: true },
      schema: {
        tags: ['administration'],
        summary: 'Why somebody may do something on a path, or may not',
        querystring: Type.Object(
          {
            user: Type.String({ maxLength: 64, description: 'Login name, or nobody' }),
            permission: Type.String({ maxLength: ROLE_MAX }),
            path: Type.String({ maxLength: PATH_MAX }),
            at: Type.Optional(AT),
          },
          { additionalProperties: false },
        ),
        response: answers({ 200: EXPLANATION }),
      },
    },
    async (request, reply) => {
      const { user, permission } = request.query
      const path = parsePath(request.query.path)
      const when = demandMoment(request.at)
      const position = pastPosition(when)
      const asked = { user, permission, path, position }
      const explanation = await explainRight(site, readerOf(request), asked)
      return sendTimed(request, reply, when, JSON.stringify(explanation))
    },
  )
}
