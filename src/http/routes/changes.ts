import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { parsePath } from '../../content/path.ts'
import { resolvePosition } from '../../queries/at.ts'
import { type ChangesAsked, readChanges, SAVES_DEFAULT, SAVES_MAX } from '../../queries/changes.ts'
import { readDensity, STRETCHES_DEFAULT, STRETCHES_MAX } from '../../queries/density.ts'
import { viewerOf } from '../../queries/reader.ts'
import type { HttpContext } from '../context.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sendJson } from '../reply.ts'
import { AFTER, AT, answers, INSTANT, listOf, query, whole } from '../schemas.ts'

/** What chooses among changes, in a query. */
export interface ChangesQuery {
  from?: string
  to?: string
  under?: string
  author?: string
  type?: string
}
interface ChangesRequest {
  Querystring: ChangesQuery & { limit?: number; after?: string }
}

export const CHANGES_QUERY = {
  from: { ...AT, description: 'Only what was done after this moment: as `at`' },
  to: { ...AT, description: 'Only what was done by this moment: as `at`' },
  under: Type.String({ maxLength: 2_000, description: 'Only at this path and below' }),
  author: Type.String({ maxLength: 100, description: 'Login name or entity id' }),
  type: Type.String({ pattern: '^[A-Z][A-Za-z]{0,63}$', description: 'Type of the event' }),
}

const NULLABLE_TEXT = Type.Union([Type.String(), Type.Null()])
const CHANGE = Type.Object({
  position: Type.Integer(),
  type: Type.String(),
  entityId: Type.String(),
  revision: Type.Integer(),
  path: NULLABLE_TEXT,
  was: NULLABLE_TEXT,
  now: NULLABLE_TEXT,
  title: NULLABLE_TEXT,
})
const SAVE = Type.Object({
  save: Type.Integer({ description: 'Position of its first event' }),
  position: Type.Integer(),
  at: INSTANT,
  actor: Type.String(),
  actorName: NULLABLE_TEXT,
  actorPath: NULLABLE_TEXT,
  door: NULLABLE_TEXT,
  note: NULLABLE_TEXT,
  changes: Type.Array(CHANGE),
})

/** `GET /api/changes` and `…/density`. */
export function changeRoutes(server: FastifyInstance, context: HttpContext): void {
  const { site } = context
  densityRoute(server, context)
  server.get<ChangesRequest>(
    '/api/changes',
    {
      config: { access: 'history' },
      schema: {
        tags: ['history'],
        summary: 'What changed on the site, save by save, newest first',
        querystring: query({ ...CHANGES_QUERY, limit: whole(1, SAVES_MAX), after: AFTER }),
        response: answers({ 200: listOf(SAVE) }),
      },
    },
    async (request, reply) => {
      const { limit = SAVES_DEFAULT, after = null, ...chosen } = request.query
      const viewer = await viewerOf(site, readerOf(request))
      const asked = await changesAsked(site.db, chosen)
      return sendJson(
        reply,
        JSON.stringify(await readChanges(site, viewer, asked, { limit, after })),
      )
    },
  )
}

const STRETCH = Type.Object({
  from: INSTANT,
  until: INSTANT,
  position: Type.Integer(),
  count: Type.Integer(),
})

interface DensityRequest {
  Querystring: ChangesQuery & { stretches?: number }
}

/** `GET /api/changes/density`. */
function densityRoute(server: FastifyInstance, { site }: HttpContext): void {
  server.get<DensityRequest>(
    '/api/changes/density',
    {
      config: { access: 'history' },
      schema: {
        tags: ['history'],
        summary: 'How many changes there were when',
        querystring: query({ ...CHANGES_QUERY, stretches: whole(1, STRETCHES_MAX) }),
        response: answers({
          200: Type.Object({ stretches: Type.Array(STRETCH), exact: Type.Boolean() }),
        }),
      },
    },
    async (request, reply) => {
      const { stretches = STRETCHES_DEFAULT, ...chosen } = request.query
      const viewer = await viewerOf(site, readerOf(request))
      const asked = await changesAsked(site.db, chosen)
      return sendJson(reply, JSON.stringify(await readDensity(site, viewer, asked, stretches)))
    },
  )
}

/** The changes that a query asks for. @throws AT_INVALID, PATH_INVALID */
export async function changesAsked(
  db: HttpContext['site']['db'],
  { from, to, under, author, type }: ChangesQuery,
): Promise<ChangesAsked> {
  const positionOf = async (text: string | undefined, parameter: 'from' | 'to') =>
    text === undefined ? null : (await resolvePosition(db, text, parameter)).position
  const [after, until] = await Promise.all([positionOf(from, 'from'), positionOf(to, 'to')])
  return {
    from: after,
    to: until,
    under: under === undefined ? null : parsePath(under),
    author: author ?? null,
    type: type ?? null,
  }
}
