import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { listSchedules, type ScheduleRow } from '../../../projections/schedules.ts'
import { demand } from '../../access/viewer.ts'
import { type Change, change } from '../../commands/change.ts'
import { pageAt } from '../../commands/pages.ts'
import { cancelSchedule, schedulePublish } from '../../commands/schedules.ts'
import { PATH_MAX } from '../../content/limits.ts'
import { parsePath } from '../../content/path.ts'
import type { Entity } from '../../content/state.ts'
import { Rm3Error } from '../../errors.ts'
import { parseInstant } from '../../queries/at.ts'
import type { HttpContext } from '../context.ts'
import { demandUnchanged } from '../page-writes.ts'
import { authorOf } from '../plugins/speaker.ts'
import { ifMatchOf, sendJson } from '../reply.ts'
import {
  answers,
  body,
  EMPTY,
  INSTANT,
  listOf,
  NO_QUERY,
  NOTE,
  PATH_PARAMS,
  REVISION,
  WRITE_HEADERS,
} from '../schemas.ts'
import { positionOf } from '../write-answer.ts'

const SCHEDULE = {
  id: Type.String({ description: 'Of the event that scheduled it' }),
  revision: REVISION,
  revisionId: Type.String(),
  at: INSTANT,
  actor: Type.String(),
}
const SCHEDULE_PARAMS = Type.Object(
  {
    path: Type.String({ maxLength: PATH_MAX, description: 'Dotted path of the page' }),
    id: Type.String({ maxLength: 40, description: 'Of the schedule' }),
  },
  { additionalProperties: false },
)
const tags = ['pages']
const config = { access: 'post.edit' as const }

interface PathRequest {
  Params: { path: string }
}

/** `GET` and `POST /api/pages/PATH/schedule`, `DELETE /api/pages/PATH/schedule/ID`. */
export function pageScheduleRoutes(server: FastifyInstance, context: HttpContext): void {
  listRoute(server, context)
  addRoute(server, context)
  cancelRoute(server, context)
}

function listRoute(server: FastifyInstance, { site }: HttpContext): void {
  server.get<PathRequest>(
    '/api/pages/:path/schedule',
    {
      config,
      schema: {
        tags,
        summary: 'What goes live by itself, the next first',
        params: PATH_PARAMS,
        querystring: NO_QUERY,
        response: answers({ 200: listOf(body(SCHEDULE)) }),
      },
    },
    async (request, reply) => {
      const path = parsePath(request.params.path)
      const { result } = await change(site, await authorOf(site, request), it => toEdit(it, path))
      const rows = await listSchedules(site.db, result.id)
      return sendJson(reply, JSON.stringify({ items: rows.map(shown), next: null }))
    },
  )
}

async function toEdit(change: Change, path: string): Promise<Entity> {
  const entity = await pageAt(change, path)
  demand(change.viewer, 'post.edit', entity.path)
  return entity
}

function addRoute(server: FastifyInstance, { site }: HttpContext): void {
  server.post<PathRequest & { Body: { revision: number; at: string; note?: string } }>(
    '/api/pages/:path/schedule',
    {
      config: { ...config, idempotent: true },
      schema: {
        tags,
        summary: 'Have a revision go live at an instant',
        params: PATH_PARAMS,
        querystring: NO_QUERY,
        headers: WRITE_HEADERS,
        body: body({ revision: REVISION, at: INSTANT, note: Type.Optional(NOTE) }),
        response: answers({ 201: body({ ...SCHEDULE, position: Type.Integer() }) }),
      },
    },
    async (request, reply) => {
      const path = parsePath(request.params.path)
      const { revision, note } = request.body
      const at = instantOf(request.body.at)
      const etag = ifMatchOf(request)
      const author = await authorOf(site, request, note)
      const written = await change(site, author, async it => {
        await demandUnchanged(it, path, etag)
        return schedulePublish(it, path, { revision, at })
      })
      const position = await positionOf(site, written)
      const made = plannedIn(written.result, { revision, at })
      reply.header('RM3-Position', position)
      reply.header('Location', `/api/pages/${written.result.path}/schedule/${made.schedule}`)
      return sendJson(reply.code(201), JSON.stringify({ ...shown(made), position }))
    },
  )
}

function cancelRoute(server: FastifyInstance, { site }: HttpContext): void {
  server.delete<{ Params: { path: string; id: string } }>(
    '/api/pages/:path/schedule/:id',
    {
      config: { ...config, consumes: [] },
      schema: {
        tags,
        summary: 'Take back what was to go live',
        params: SCHEDULE_PARAMS,
        querystring: NO_QUERY,
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      const path = parsePath(request.params.path)
      const author = await authorOf(site, request)
      const { id } = request.params
      const written = await change(site, author, it => cancelSchedule(it, path, id))
      reply.header('RM3-Position', await positionOf(site, written))
      return reply.code(204).send()
    },
  )
}

function instantOf(text: string): string {
  const instant = parseInstant(text)
  if (instant !== null) return instant
  throw new Rm3Error('REQUEST_INVALID', `${text} is not an RFC 3339 instant`, { pointer: '/at' })
}

function plannedIn(
  { schedules }: Entity,
  { revision, at }: { readonly revision: number; readonly at: string },
): Omit<ScheduleRow, 'entityId'> {
  const found = Object.entries(schedules).find(
    ([, plan]) => plan.revision === revision && plan.at === at,
  )
  if (found === undefined) throw new Error('what was scheduled is not there')
  return { schedule: found[0], ...found[1] }
}

function shown({ schedule, revision, revisionId, at, actor }: Omit<ScheduleRow, 'entityId'>) {
  return { id: schedule, revision, revisionId, at, actor }
}
