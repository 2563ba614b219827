import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Json } from '../../codec/json.ts'
import { change, type Site } from '../../commands/change.ts'
import { setSetting } from '../../commands/rights.ts'
import { readSettings } from '../../queries/administration.ts'
import { demandMoment, pastPosition } from '../../queries/at.ts'
import type { HttpContext } from '../context.ts'
import { authorOf, readerOf } from '../plugins/speaker.ts'
import { sendTimed } from '../reply.ts'
import { AT, answers, body, EMPTY, listOf, NO_QUERY, query } from '../schemas.ts'
import { positionOf } from '../write-answer.ts'

const KEY = Type.String({ maxLength: 100 })
const KEY_PARAMS = Type.Object({ key: KEY }, { additionalProperties: false })
const VALUE = Type.Unknown({ description: 'Any JSON; null: not set' })
const SETTING = body({ key: KEY, value: VALUE })
const config = { access: 'grant' } as const
const tags = ['administration']

/** `GET /api/config`, `PUT` and `DELETE /api/config/KEY`: the settings of the site. */
export function configRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.get<{ Querystring: { at?: string } }>(
    '/api/config',
    {
      config: { ...config, asOf: true },
      schema: {
        tags,
        summary: 'All settings, now or as they were',
        querystring: query({ at: AT }),
        response: answers({ 200: listOf(SETTING) }),
      },
    },
    async (request, reply) => {
      const when = demandMoment(request.at)
      const items = await readSettings(site, readerOf(request), pastPosition(when))
      return sendTimed(request, reply, when, JSON.stringify({ items, next: null }))
    },
  )
  changeRoutes(server, site)
}

function changeRoutes(server: FastifyInstance, site: Site): void {
  server.put<{ Params: { key: string }; Body: { value: Json } }>(
    '/api/config/:key',
    {
      config,
      schema: {
        tags,
        summary: 'Change a setting',
        params: KEY_PARAMS,
        querystring: NO_QUERY,
        body: body({ value: VALUE }),
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      return put(site, request, reply, request.body.value)
    },
  )
  server.delete<{ Params: { key: string } }>(
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
    async (request, reply) => put(site, request, reply, null),
  )
}

async function put(
  site: Site,
  request: FastifyRequest<{ Params: { key: string } }>,
  reply: FastifyReply,
  value: Json,
): Promise<FastifyReply> {
  const author = await authorOf(site, request)
  const written = await change(site, author, it => setSetting(it, request.params.key, value))
  return reply
    .code(204)
    .header('RM3-Position', await positionOf(site, written))
    .send()
}
