import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { type Change, change, type Site } from '../../commands/change.ts'
import { assignUser, deassignUser } from '../../commands/rights.ts'
import { ROLE_MAX } from '../../content/limits.ts'
import { listRoleEntries, readRole } from '../../queries/roles.ts'
import { getVisibleAccount } from '../../queries/users.ts'
import type { HttpContext } from '../context.ts'
import { authorOf, readerOf } from '../plugins/speaker.ts'
import { sendJson } from '../reply.ts'
import { answers, body, EMPTY, LOGIN, listOf, NO_QUERY } from '../schemas.ts'
import { positionOf } from '../write-answer.ts'

const ROLE = Type.String({ maxLength: ROLE_MAX })
const ROLE_PARAMS = Type.Object({ role: ROLE }, { additionalProperties: false })
const MEMBER_PARAMS = Type.Object({ role: ROLE, user: LOGIN }, { additionalProperties: false })
const config = { access: 'grant' } as const
const tags = ['rights']

interface MemberRequest {
  Params: { role: string; user: string }
}

/** `/api/roles`, `/api/roles/ROLE` and `/api/roles/ROLE/members/USER`. */
export function roleRoutes(server: FastifyInstance, context: HttpContext): void {
  readRoutes(server, context)
  memberRoutes(server, context)
}

function readRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.get(
    '/api/roles',
    {
      config,
      schema: {
        tags,
        summary: 'Roles, with how many grants and members they have',
        querystring: NO_QUERY,
        response: answers({
          200: listOf(
            body({ role: Type.String(), grants: Type.Integer(), members: Type.Integer() }),
          ),
        }),
      },
    },
    async (request, reply) => {
      const items = await listRoleEntries(site, readerOf(request))
      return sendJson(reply, JSON.stringify({ items, next: null }))
    },
  )

  server.get<{ Params: { role: string } }>(
    '/api/roles/:role',
    {
      config,
      schema: {
        tags,
        summary: 'What a role may do, and who has it',
        params: ROLE_PARAMS,
        querystring: NO_QUERY,
        response: answers({
          200: body({
            role: Type.String(),
            grants: Type.Array(body({ permission: Type.String(), pattern: Type.String() })),
            members: Type.Array(
              body({
                user: Type.String(),
                id: Type.String(),
                path: Type.String(),
                name: Type.String(),
              }),
            ),
          }),
        }),
      },
    },
    async (request, reply) => {
      const answer = await readRole(site, readerOf(request), request.params.role)
      return sendJson(reply, JSON.stringify(answer))
    },
  )
}

function memberRoutes(server: FastifyInstance, { site }: HttpContext): void {
  const changed = body({
    role: Type.String(),
    user: Type.String(),
    changed: Type.Boolean({ description: 'Whether the user did not have it before' }),
    position: Type.Integer(),
  })
  server.put<MemberRequest>(
    '/api/roles/:role/members/:user',
    {
      config: { ...config, consumes: [] },
      schema: {
        tags,
        summary: 'Give a user a role',
        params: MEMBER_PARAMS,
        querystring: NO_QUERY,
        response: answers({ 200: changed, 201: changed }),
      },
    },
    async (request, reply) => {
      const answer = await changeMember(site, request, reply, assignUser)
      return sendJson(reply.code(answer.changed ? 201 : 200), JSON.stringify(answer))
    },
  )

  server.delete<MemberRequest>(
    '/api/roles/:role/members/:user',
    {
      config: { ...config, consumes: [] },
      schema: {
        tags,
        summary: 'Take a role from a user',
        params: MEMBER_PARAMS,
        querystring: NO_QUERY,
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      await changeMember(site, request, reply, deassignUser)
      return reply.code(204).send()
    },
  )
}

async function changeMember(
  site: Site,
  request: FastifyRequest<MemberRequest>,
  reply: FastifyReply,
  command: (change: Change, userId: string, role: string) => Promise<void>,
): Promise<{ role: string; user: string; changed: boolean; position: number }> {
  const { role, user } = request.params
  const { account } = await getVisibleAccount(site, readerOf(request), user)
  const author = await authorOf(site, request)
  const written = await change(site, author, it => command(it, account.id, role))
  const position = await positionOf(site, written)
  reply.header('RM3-Position', position)
  return { role, user, changed: written.events.length > 0, position }
}
