import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { parsePath } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import { demandMoment, parseInstant, pastPosition } from '../../queries/at.ts'
import { getRevision } from '../../queries/read-revision.ts'
import { entryText } from '../../queries/revision-entry.ts'
import { listRevisions, REVISIONS_DEFAULT, REVISIONS_MAX } from '../../queries/revisions.ts'
import type { HttpContext } from '../context.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sendTagged, sendTimed } from '../reply.ts'
import {
  AFTER,
  AT,
  answers,
  INSTANT,
  listOf,
  NO_QUERY,
  PATH_PARAMS,
  query,
  READ_HEADERS,
  REVISION,
  REVISION_ENTRY,
  whole,
} from '../schemas.ts'

interface ListRequest {
  Params: { path: string }
  Querystring: { limit?: number; after?: string; author?: string; from?: string; until?: string }
}
interface OneRequest {
  Params: { path: string; revision: number }
}

const LIST_QUERY = query({
  limit: whole(1, REVISIONS_MAX),
  after: AFTER,
  author: Type.String({ maxLength: 100, description: 'Login name or entity id' }),
  from: INSTANT,
  until: INSTANT,
  at: AT,
})
const ONE_PARAMS = Type.Object(
  { ...PATH_PARAMS.properties, revision: REVISION },
  { additionalProperties: false },
)
const tags = ['history']

/** `GET /api/pages/PATH/revisions`, `…/revisions/N` and `…/diff`. */
export function revisionRoutes(server: FastifyInstance, { site }: HttpContext): void {
  const config = { access: 'history' } as const

  server.get<ListRequest>(
    '/api/pages/:path/revisions',
    {
      config: { ...config, asOf: true },
      schema: {
        tags,
        summary: 'Revisions of a page, newest first',
        params: PATH_PARAMS,
        querystring: LIST_QUERY,
        response: answers({ 200: listOf(REVISION_ENTRY) }),
      },
    },
    async (request, reply) => {
      const path = parsePath(request.params.path)
      const { limit = REVISIONS_DEFAULT, after = null, author = null } = request.query
      const from = instantOf('from', request.query.from)
      const until = instantOf('until', request.query.until)
      const when = demandMoment(request.at)
      const part = { limit, after, author, from, until, position: pastPosition(when) }
      const { items, next } = await listRevisions(site, readerOf(request), path, part)
      const json = `{"items":[${items.map(entryText)}],"next":${JSON.stringify(next)}}`
      return sendTimed(request, reply, when, json)
    },
  )

  server.get<OneRequest>(
    '/api/pages/:path/revisions/:revision',
    {
      config,
      schema: {
        tags,
        summary: 'One revision with its document',
        params: ONE_PARAMS,
        querystring: NO_QUERY,
        headers: READ_HEADERS,
        response: answers({ 200: REVISION_ENTRY }),
      },
    },
    async (request, reply) => {
      const { path, revision } = request.params
      const found = await getRevision(site, readerOf(request), parsePath(path), revision)
      reply.header('RM3-Position', found.position)
      return sendTagged(request, reply, found.revisionId, () => JSON.stringify(found))
    },
  )
}

function instantOf(parameter: string, text: string | undefined): string | null {
  if (text === undefined) return null
  const instant = parseInstant(text)
  if (instant !== null) return instant
  throw new Rm3Error('REQUEST_INVALID', `${parameter} is not an RFC 3339 instant`, { parameter })
}
