import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { parsePath } from '../../content/path.ts'
import { readBlame } from '../../queries/blame.ts'
import { entryText } from '../../queries/revision-entry.ts'
import type { HttpContext } from '../context.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sendTimed } from '../reply.ts'
import { AT, answers, PATH_PARAMS, query, REVISION_ENTRY } from '../schemas.ts'

interface BlameRequest {
  Params: { path: string }
  Querystring: { at?: string }
}

const BLAME = Type.Object({
  path: Type.String(),
  revision: Type.Integer(),
  since: Type.Integer(),
  fields: Type.Array(Type.Object({}, { additionalProperties: true })),
  revisions: Type.Array(REVISION_ENTRY),
})

/** `GET /api/pages/PATH/blame`. */
export function blameRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.get<BlameRequest>(
    '/api/pages/:path/blame',
    {
      config: { access: 'history', asOf: true },
      schema: {
        tags: ['history'],
        summary: 'Who wrote which field, line and word of a page',
        params: PATH_PARAMS,
        querystring: query({ at: AT }),
        response: answers({ 200: BLAME }),
      },
    },
    async (request, reply) => {
      const path = parsePath(request.params.path)
      const { at } = request
      const { revisions, ...blame } = await readBlame(site, readerOf(request), path, at)
      const rest = JSON.stringify(blame).slice(0, -1)
      const when = at === null || 'revision' in at ? null : at
      const json = `${rest},"revisions":[${revisions.map(entryText)}]}`
      return sendTimed(request, reply, when, json)
    },
  )
}
