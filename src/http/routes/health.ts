import type { FastifyInstance, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { SITE_PATH } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import { readHead } from '../../log/read.ts'
import type { HttpContext } from '../context.ts'
import { isLoopback } from '../cookies.ts'
import type { Metrics } from '../plugins/metrics.ts'
import { sendJson } from '../reply.ts'
import { answers, body, NO_QUERY } from '../schemas.ts'

const tags = ['operation']
const STATUS = body({ status: Type.String() })

/** `GET /health/live`, `/health/ready` and `/metrics`. */
export function healthRoutes(
  server: FastifyInstance,
  { site, appends, options }: HttpContext,
  { registry }: Metrics,
): void {
  const config = { access: 'public' } as const

  server.get(
    '/health/live',
    {
      config,
      schema: {
        tags,
        summary: 'The process answers',
        querystring: NO_QUERY,
        response: answers({ 200: STATUS }),
      },
    },
    async (_request, reply) => sendJson(reply, '{"status":"live"}'),
  )

  server.get(
    '/health/ready',
    {
      config,
      schema: {
        tags,
        summary: 'The database answers, writes get through, and the server is not about to end',
        querystring: NO_QUERY,
        response: answers({ 200: STATUS }),
      },
    },
    async (_request, reply) => {
      if (server.drain.begun) throw new Rm3Error('UNAVAILABLE', 'the server is about to end')
      const trouble = appends?.trouble ?? null
      if (trouble !== null) throw new Rm3Error('UNAVAILABLE', trouble)
      const { position } = await readHead(site.db)
      return sendJson(reply, JSON.stringify({ status: 'ready', position }))
    },
  )

  server.get(
    '/metrics',
    {
      config: { access: 'grant' },
      schema: {
        tags,
        summary: 'Figures for Prometheus; from this machine, or with `grant` on the root',
        querystring: NO_QUERY,
        response: answers({ 200: Type.String() }),
      },
    },
    async (request, reply) => {
      if (!isLocal(request, options.trustProxy !== false) && !mayOperate(request)) {
        throw new Rm3Error('ROUTE_NOT_FOUND', 'there is nothing at this address')
      }
      return reply.header('Content-Type', registry.contentType).send(await registry.metrics())
    },
  )
}

/** Whether a request comes from this machine and was not passed on by a proxy on it. */
function isLocal(request: FastifyRequest, isProxyTrusted: boolean): boolean {
  const { headers } = request
  const passedOn = headers['x-forwarded-for'] ?? headers['forwarded'] ?? headers['via']
  return isLoopback(request.ip) && (isProxyTrusted || passedOn === undefined)
}

function mayOperate(request: FastifyRequest): boolean {
  return request.speaker?.viewer.may('grant', SITE_PATH) ?? false
}
