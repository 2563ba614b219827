import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { change } from '../../commands/change.ts'
import { checkDocument } from '../../content/check-document.ts'
import type { HttpContext } from '../context.ts'
import { createPageAt, placeOf } from '../page-writes.ts'
import { authorOf } from '../plugins/speaker.ts'
import { answers, body, DOCUMENT, ESSENTIALS, NO_QUERY, NOTE, WRITE_HEADERS } from '../schemas.ts'
import { sendWritten } from '../write-answer.ts'

const CREATE_BODY = body({
  path: Type.Optional(Type.String()),
  parent: Type.Optional(
    Type.String({ description: 'Instead of `path`: one is made of the title' }),
  ),
  ...DOCUMENT,
  note: Type.Optional(NOTE),
  draft: Type.Optional(Type.Boolean()),
})

interface CreateRequest {
  Body: { path?: string; parent?: string; note?: string; draft?: boolean } & Record<string, unknown>
}
/** `POST /api/pages`. */
export function pageCreateRoutes(server: FastifyInstance, context: HttpContext): void {
  const { site } = context
  server.post<CreateRequest>(
    '/api/pages',
    {
      config: { access: 'post.edit', idempotent: true },
      schema: {
        tags: ['pages'],
        querystring: NO_QUERY,
        summary: 'Make a page',
        headers: WRITE_HEADERS,
        body: CREATE_BODY,
        response: answers({ 201: ESSENTIALS }),
      },
    },
    async (request, reply) => {
      const { path, parent, note, draft = false, ...members } = request.body
      const place = placeOf(path, parent)
      const document = checkDocument(members)
      const author = await authorOf(site, request, note)
      const written = await change(site, author, it => createPageAt(it, place, { document, draft }))
      reply.code(201).header('Location', `/api/pages/${written.result.path}`)
      return sendWritten(site, reply, written)
    },
  )
}
