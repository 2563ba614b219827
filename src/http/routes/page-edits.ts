import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { revisePage } from '../../commands/pages.ts'
import type { Document } from '../../content/document.ts'
import { parsePath } from '../../content/path.ts'
import { changeBy } from '../change-by.ts'
import type { HttpContext } from '../context.ts'
import { jsonPatchEdit, mergePatchEdit, replacingEdit } from '../edits.ts'
import { PATCH_BODIES } from '../plugins/bodies.ts'
import { flagOf } from '../plugins/speaker.ts'
import { requireIfMatch } from '../reply.ts'
import {
  answers,
  body,
  DOCUMENT,
  EDIT_HEADERS,
  ESSENTIALS,
  NO_QUERY,
  NOTE,
  PATH_PARAMS,
} from '../schemas.ts'
import { sendWritten } from '../write-answer.ts'

interface PutRequest {
  Params: { path: string }
  Body: { note?: string } & Record<string, unknown>
}

/** `PUT` and `PATCH /api/pages/PATH`. */
export function pageEditRoutes(server: FastifyInstance, context: HttpContext): void {
  const common = { tags: ['pages'], querystring: NO_QUERY }

  server.put<PutRequest>(
    '/api/pages/:path',
    {
      config: { access: 'post.edit', remembered: true },
      schema: {
        ...common,
        summary: 'Put a whole document in place of the other',
        params: PATH_PARAMS,
        headers: EDIT_HEADERS,
        body: body({ ...DOCUMENT, note: Type.Optional(NOTE) }),
        response: answers({ 200: ESSENTIALS }),
      },
    },
    async (request, reply) => {
      const { note, ...members } = request.body
      return edit(context, request, reply, { edit: replacingEdit(members), note })
    },
  )

  server.patch<PutRequest>(
    '/api/pages/:path',
    {
      config: { access: 'post.edit', remembered: true, idempotent: true, consumes: PATCH_BODIES },
      schema: {
        ...common,
        summary: 'Change a document by a patch (RFC 6902 or RFC 7396)',
        params: PATH_PARAMS,
        headers: EDIT_HEADERS,
        body: {
          content: Object.fromEntries(PATCH_BODIES.map(type => [type, { schema: Type.Unknown() }])),
        },
        response: answers({ 200: ESSENTIALS }),
      },
    },
    async (request, reply) => {
      const type = request.headers['content-type'] ?? ''
      const isMerge = type.toLowerCase().startsWith('application/merge-patch')
      const patch = isMerge ? mergePatchEdit(request.body) : jsonPatchEdit(request.body)
      return edit(context, request, reply, { edit: patch })
    },
  )
}

async function edit(
  { site }: HttpContext,
  request: FastifyRequest<{ Params: { path: string } }>,
  reply: FastifyReply,
  what: { edit: (document: Document) => Document; note?: string | undefined },
): Promise<FastifyReply> {
  const path = parsePath(request.params.path)
  const ifMatch = requireIfMatch(request)
  const draft = flagOf(request, 'RM3-Draft')
  const minor = flagOf(request, 'RM3-Minor')
  const revision = { ifMatch, edit: what.edit, draft, minor }
  const written = await changeBy(site, request, it => revisePage(it, path, revision), what.note)
  return sendWritten(site, reply, written)
}
