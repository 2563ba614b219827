import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type, { type TSchema } from 'typebox'
import { changeAndForget } from '../../commands/accounts.ts'
import type { Change } from '../../commands/change.ts'
import { deletePage, movePage, publishPage } from '../../commands/pages.ts'
import { parsePath } from '../../content/path.ts'
import type { Entity } from '../../content/state.ts'
import type { HttpContext } from '../context.ts'
import { demandUnchanged } from '../page-writes.ts'
import { authorOf } from '../plugins/speaker.ts'
import { ifMatchOf } from '../reply.ts'
import {
  answers,
  body,
  ESSENTIALS,
  NO_QUERY,
  NOTE,
  PATH_PARAMS,
  query,
  REVISION,
  WRITE_HEADERS,
} from '../schemas.ts'
import { sendWritten } from '../write-answer.ts'

interface ActionBody {
  to?: string
  revision?: number
  note?: string
}
interface ActionRequest {
  Params: { path: string }
  Body: ActionBody | null
}
interface DeleteRequest {
  Params: { path: string }
  Querystring: { redirect?: string }
}

/** One action on a page. */
interface Action {
  readonly name: string
  readonly summary: string
  readonly access: 'post.edit' | 'post.delete'
  readonly body: Record<string, TSchema>
  run(change: Change, path: string, body: ActionBody): Promise<Entity>
}

const PATH = Type.String({ description: 'A dotted path' })
const ACTIONS: readonly Action[] = [
  {
    name: 'move',
    summary: 'Move a page with all below it',
    access: 'post.edit',
    body: { to: PATH },
    run: (change, path, { to = '' }) => movePage(change, path, parsePath(to)),
  },
  {
    name: 'publish',
    summary: 'Show a revision to readers',
    access: 'post.edit',
    body: { revision: REVISION },
    run: (change, path, { revision = 0 }) => publishPage(change, path, revision),
  },
]

/** `DELETE /api/pages/PATH`, and `POST …/move`, `…/publish`. */
export function pageActionRoutes(server: FastifyInstance, context: HttpContext): void {
  for (const action of ACTIONS) addAction(server, context, action)
  server.delete<DeleteRequest>(
    '/api/pages/:path',
    {
      config: { access: 'post.delete', consumes: [] },
      schema: {
        tags: ['pages'],
        summary: 'Delete a page; its history stays',
        params: PATH_PARAMS,
        querystring: query({
          redirect: Type.String({ maxLength: 2_000, description: 'Where readers are sent' }),
        }),
        headers: WRITE_HEADERS,
        response: answers({ 200: ESSENTIALS }),
      },
    },
    async (request, reply) => {
      const { redirect } = request.query
      return act(context, request, reply, (it, path) => deletePage(it, path, redirect))
    },
  )
}

function addAction(server: FastifyInstance, context: HttpContext, action: Action): void {
  const { name, summary, access } = action
  server.post<ActionRequest>(
    `/api/pages/:path/${name}`,
    {
      config: { access, idempotent: true },
      schema: {
        tags: ['pages'],
        summary,
        params: PATH_PARAMS,
        querystring: NO_QUERY,
        headers: WRITE_HEADERS,
        body: body({ ...action.body, note: Type.Optional(NOTE) }),
        response: answers({ 200: ESSENTIALS }),
      },
    },
    async (request, reply) => {
      const sent = request.body ?? {}
      return act(context, request, reply, (it, path) => action.run(it, path, sent), sent.note)
    },
  )
}

async function act(
  { site }: HttpContext,
  request: FastifyRequest<{ Params: { path: string } }>,
  reply: FastifyReply,
  run: (change: Change, path: string) => Promise<Entity>,
  note?: string,
): Promise<FastifyReply> {
  const path = parsePath(request.params.path)
  const etag = ifMatchOf(request)
  const author = await authorOf(site, request, note)
  const written = await changeAndForget(site, author, async it => {
    await demandUnchanged(it, path, etag)
    return run(it, path)
  })
  return sendWritten(site, reply, written)
}
