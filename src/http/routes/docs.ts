import type { FastifyInstance } from 'fastify'
import { DOCS_CSS, docsPage } from '../docs-page.ts'
import { sendJson } from '../reply.ts'

/** `GET /api/openapi.json` and `/api/docs`. */
export function docsRoutes(server: FastifyInstance): void {
  const options = { config: { access: 'public' }, schema: { hide: true } } as const
  let json: string | null = null
  let html: string | null = null
  server.get('/api/openapi.json', options, async (_request, reply) => {
    json ??= JSON.stringify(server.swagger())
    return sendJson(reply, json)
  })
  server.get('/api/docs', options, async (_request, reply) => {
    html ??= docsPage(server.swagger())
    return reply.header('Content-Type', 'text/html; charset=utf-8').send(html)
  })
  server.get('/api/docs.css', options, async (_request, reply) =>
    reply.header('Content-Type', 'text/css; charset=utf-8').send(DOCS_CSS),
  )
}
