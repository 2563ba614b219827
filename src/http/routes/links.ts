import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { parsePath } from '../../content/path.ts'
import { demandMoment } from '../../queries/at.ts'
import { readBrokenLinks, readLinks, readLinksAt } from '../../queries/links.ts'
import { PAGES_DEFAULT, PAGES_MAX } from '../../queries/list-pages.ts'
import type { HttpContext } from '../context.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sendJson, sendTimed } from '../reply.ts'
import { AFTER, AT, answers, listOf, PATH_PARAMS, query, whole } from '../schemas.ts'

const tags = ['pages']
const NULLABLE_TEXT = Type.Union([Type.String(), Type.Null()])
const SINCE = Type.Integer({ description: 'Position of the change that brought the link' })
const PLACE = { path: Type.String(), entityId: Type.String(), title: Type.String() }

const LINKS = Type.Object({
  from: Type.Array(Type.Object({ path: NULLABLE_TEXT, url: NULLABLE_TEXT, fromPosition: SINCE }), {
    description: 'Where the page leads',
  }),
  to: Type.Array(Type.Object({ ...PLACE, fromPosition: SINCE }), {
    description: 'Pages that lead to it',
  }),
})

/** `GET /api/pages/PATH/links` and `GET /api/links/broken`. */
export function linkRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.get<{ Params: { path: string } }>(
    '/api/pages/:path/links',
    {
      config: { access: 'view', asOf: true },
      schema: {
        tags,
        summary: 'Where a page links to, and the pages that link to it; now or then',
        params: PATH_PARAMS,
        querystring: query({ at: AT }),
        response: answers({ 200: LINKS }),
      },
    },
    async (request, reply) => {
      const path = parsePath(request.params.path)
      const when = demandMoment(request.at)
      const reader = readerOf(request)
      const links = await (when === null
        ? readLinks(site, reader, path)
        : readLinksAt(site, reader, path, when))
      return sendTimed(request, reply, when, JSON.stringify(links))
    },
  )

  server.get<{ Querystring: { limit?: number; after?: string } }>(
    '/api/links/broken',
    {
      config: { access: 'post.edit' },
      schema: {
        tags,
        summary: 'Links to where no page is, of pages that one may edit',
        querystring: query({ limit: whole(1, PAGES_MAX), after: AFTER }),
        response: answers({
          200: listOf(Type.Object({ target: Type.String(), ...PLACE, fromPosition: SINCE })),
        }),
      },
    },
    async (request, reply) => {
      const { limit = PAGES_DEFAULT, after = null } = request.query
      const found = await readBrokenLinks(site, readerOf(request), { limit, after })
      return sendJson(reply, JSON.stringify(found))
    },
  )
}
