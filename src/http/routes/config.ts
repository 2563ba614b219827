import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { Json } from '../../codec/json.ts'
import { change } from '../../commands/change.ts'
import { setSetting } from '../../commands/rights.ts'
import { readSettings } from '../../queries/administration.ts'
import type { HttpContext } from '../context.ts'
import { authorOf, readerOf } from '../plugins/speaker.ts'
import { sendJson } from '../reply.ts'
import { answers, body, EMPTY, listOf, NO_QUERY } from '../schemas.ts'
import { positionOf } from '../write-answer.ts'

const KEY = Type.String({ maxLength: 100 })
const SETTING = body({ key: KEY, value: Type.Unknown() })
const config = { access: 'grant' } as const
const tags = ['administration']

/** `GET /api/config` and `PUT /api/config/KEY`: the settings of the site. */
export function configRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.get(
    '/api/config',
    {
      config,
      schema: {
        tags,
        summary: 'All settings',
        querystring: NO_QUERY,
        response: answers({ 200: listOf(SETTING) }),
      },
    },
    async (request, reply) => {
      const items = await readSettings(site, readerOf(request))
      return sendJson(reply, JSON.stringify({ items, next: null }))
    },
  )
  server.put<{ Params: { key: string }; Body: { value: Json } }>(
    '/api/config/:key',
    {
      config,
      schema: {
        tags,
        summary: 'Change a setting',
        params: Type.Object({ key: KEY }, { additionalProperties: false }),
        querystring: NO_QUERY,
        body: body({ value: Type.Unknown() }),
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      const { key } = request.params
      const author = await authorOf(site, request)
      const written = await change(site, author, it => setSetting(it, key, request.body.value))
      return reply
        .code(204)
        .header('RM3-Position', await positionOf(site, written))
        .send()
    },
  )
}
