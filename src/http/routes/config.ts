import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Json } from '../../codec/json.ts'
import { change, type Site } from '../../commands/change.ts'
import { setSetting } from '../../commands/rights.ts'
import { resolvePosition } from '../../queries/at.ts'
import { readSettings } from '../../queries/grants.ts'
import type { HttpContext } from '../context.ts'
import { authorOf, readerOf } from '../plugins/speaker.ts'
import { sayWhen, sendJson } from '../reply.ts'
import { AT, answers, body, EMPTY, listOf, NO_QUERY, query } from '../schemas.ts'
import { positionOf } from '../write-answer.ts'

const KEY = Type.String({ maxLength: 100, description: 'Words joined by dots' })
const KEY_PARAMS = Type.Object({ key: KEY }, { additionalProperties: false })
const VALUE = Type.Unknown({ description: 'Any JSON; null: not set' })
const config = { access: 'grant' } as const
const tags = ['settings']

interface KeyRequest {
  Params: { key: string }
}

/** `GET /api/config`, `PUT` and `DELETE /api/config/KEY`: settings of the site, for those with `grant` on it. */
export function configRoutes(server: FastifyInstance, context: HttpContext): void {
  listRoute(server, context)
  changeRoutes(server, context)
}

function listRoute(server: FastifyInstance, { site }: HttpContext): void {
  server.get<{ Querystring: { at?: string } }>(
    '/api/config',
    {
      config,
      schema: {
        tags,
        summary: 'Settings of the site, now or as they were',
        querystring: query({ at: AT }),
        response: answers({ 200: listOf(body({ key: Type.String(), value: VALUE })) }),
      },
    },
    async (request, reply) => {
      const { at } = request.query
      const when = at === undefined ? null : await resolvePosition(site.db, at)
      const items = await readSettings(site, readerOf(request), when?.position ?? null)
      if (when !== null) sayWhen(reply, when.position, when.recordedAt)
      return sendJson(reply, JSON.stringify({ items, next: null }))
    },
  )
}

function changeRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.put<KeyRequest & { Body: { value: Json } }>(
    '/api/config/:key',
    {
      config,
      schema: {
        tags,
        summary: 'Change a setting',
        params: KEY_PARAMS,
        querystring: NO_QUERY,
        body: body({ value: VALUE }),
        response: answers({
          200: body({
            key: Type.String(),
            value: VALUE,
            changed: Type.Boolean(),
            position: Type.Integer(),
          }),
        }),
      },
    },
    async (request, reply) => {
      const { value } = request.body
      const { changed, position } = await put(site, request, reply, value)
      const { key } = request.params
      return sendJson(reply, JSON.stringify({ key, value, changed, position }))
    },
  )

  server.delete<KeyRequest>(
    '/api/config/:key',
    {
      config: { ...config, consumes: [] },
      schema: {
        tags,
        summary: 'Take a setting away',
        params: KEY_PARAMS,
        querystring: NO_QUERY,
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      await put(site, request, reply, null)
      return reply.code(204).send()
    },
  )
}

async function put(
  site: Site,
  request: FastifyRequest<KeyRequest>,
  reply: FastifyReply,
  value: Json,
): Promise<{ changed: boolean; position: number }> {
  const author = await authorOf(site, request)
  const written = await change(site, author, it => setSetting(it, request.params.key, value))
  const position = await positionOf(site, written)
  reply.header('RM3-Position', position)
  return { changed: written.events.length > 0, position }
}
