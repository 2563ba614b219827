import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { changeAndForget } from '../../commands/accounts.ts'
import type { Change } from '../../commands/change.ts'
import { restoreRevision } from '../../commands/pages.ts'
import { previewRestore, previewUndelete } from '../../commands/previews.ts'
import { rehearse } from '../../commands/rehearse.ts'
import { undelete } from '../../commands/undelete-below.ts'
import { parsePath } from '../../content/path.ts'
import { resolvePosition } from '../../queries/at.ts'
import type { HttpContext } from '../context.ts'
import { demandUnchanged } from '../page-writes.ts'
import { authorOf } from '../plugins/speaker.ts'
import { ifMatchOf, sendJson } from '../reply.ts'
import {
  AT,
  answers,
  body,
  ESSENTIALS,
  NO_QUERY,
  NOTE,
  PATH_PARAMS,
  REVISION,
  WRITE_HEADERS,
} from '../schemas.ts'
import { essentialsOf, positionOf, sendWritten } from '../write-answer.ts'

interface RestoreRequest {
  Params: { path: string }
  Body: { revision: number; draft?: boolean; fields?: string[]; dryRun?: boolean; note?: string }
}
interface UndeleteRequest {
  Params: { path: string }
  Body: { to?: string; below?: boolean; from?: string; dryRun?: boolean; note?: string }
}

const FIELDS_MAX = 100
const FLAG = Type.Optional(Type.Boolean())
const PREVIEW = Type.Object({ dryRun: Type.Boolean() }, { description: 'What would be done' })

/** `POST /api/pages/PATH/restore` and `…/undelete`. */
export function pageReturnRoutes(server: FastifyInstance, context: HttpContext): void {
  const common = {
    tags: ['pages'],
    params: PATH_PARAMS,
    querystring: NO_QUERY,
    headers: WRITE_HEADERS,
    response: answers({ 200: Type.Union([ESSENTIALS, PREVIEW]) }),
  }

  server.post<RestoreRequest>(
    '/api/pages/:path/restore',
    {
      config: { access: 'post.edit', idempotent: true },
      schema: {
        ...common,
        summary: 'Bring an old revision, or some of its members, back as a new one',
        body: body({
          revision: REVISION,
          draft: FLAG,
          fields: Type.Optional(
            Type.Array(Type.String({ maxLength: 1_000 }), { minItems: 1, maxItems: FIELDS_MAX }),
          ),
          dryRun: FLAG,
          note: Type.Optional(NOTE),
        }),
      },
    },
    (request, reply) => restore(context, request, reply),
  )

  server.post<UndeleteRequest>(
    '/api/pages/:path/undelete',
    {
      config: { access: 'post.delete', idempotent: true },
      schema: {
        ...common,
        summary: 'Bring a deleted page back, there or elsewhere, alone or with all below it',
        body: body({
          to: Type.Optional(Type.String({ description: 'A dotted path' })),
          below: FLAG,
          from: Type.Optional({
            ...AT,
            description: 'Below: only what was deleted after this moment',
          }),
          dryRun: FLAG,
          note: Type.Optional(NOTE),
        }),
      },
    },
    (request, reply) => bringBack(context, request, reply),
  )
}

async function restore(
  { site }: HttpContext,
  request: FastifyRequest<RestoreRequest>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const path = parsePath(request.params.path)
  const etag = ifMatchOf(request)
  const { note, dryRun = false, ...options } = request.body
  const author = await authorOf(site, request, note)
  const work = async (it: Change) => {
    await demandUnchanged(it, path, etag)
    return restoreRevision(it, path, options)
  }
  if (!dryRun) return sendWritten(site, reply, await changeAndForget(site, author, work))
  const { result, events } = await rehearse(site, author, async it => {
    await demandUnchanged(it, path, etag)
    return previewRestore(it, path, options)
  })
  const { entity, document, missing } = result
  const what = { path: entity.path, entityId: entity.id, changes: events.length > 0 }
  return sendJson(reply, JSON.stringify({ dryRun, ...what, document, missing }))
}

async function bringBack(
  { site }: HttpContext,
  request: FastifyRequest<UndeleteRequest>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const path = parsePath(request.params.path)
  const etag = ifMatchOf(request)
  const { to, below = false, from, dryRun = false, note } = request.body
  const after = from === undefined ? 0 : (await resolvePosition(site.db, from, 'from')).position
  const options = { ...(to !== undefined && { to: parsePath(to) }), below, after }
  const author = await authorOf(site, request, note)
  if (dryRun) {
    const { result } = await rehearse(site, author, async it => {
      await demandUnchanged(it, path, etag)
      return previewUndelete(it, path, options)
    })
    const { top, ...rest } = result
    return sendJson(reply, JSON.stringify({ dryRun, path: top.path, entityId: top.id, ...rest }))
  }
  const { result, ...written } = await changeAndForget(site, author, async it => {
    await demandUnchanged(it, path, etag)
    return undelete(it, path, options)
  })
  const position = await positionOf(site, { result, ...written })
  const essentials = essentialsOf(result.top, written.events, position)
  reply.header('ETag', `"${essentials.etag}"`).header('RM3-Position', position)
  const { pages, left } = result
  return sendJson(reply, JSON.stringify({ ...essentials, ...(below && { pages, left }) }))
}
