import type { FastifyInstance, FastifyReply } from 'fastify'
import Type from 'typebox'
import { type Change, change } from '../../commands/change.ts'
import { assignUser, deassignUser, denyRole, permitRole } from '../../commands/rights.ts'
import { PATTERN_MAX, ROLE_MAX } from '../../content/limits.ts'
import {
  getVisibleAccount,
  readGrants,
  readMembers,
  readRole,
  readRoles,
} from '../../queries/administration.ts'
import { demandMoment, pastPosition } from '../../queries/at.ts'
import type { HttpContext } from '../context.ts'
import { authorOf, readerOf } from '../plugins/speaker.ts'
import { sendTimed } from '../reply.ts'
import { AT, answers, body, EMPTY, listOf, NO_QUERY, query } from '../schemas.ts'
import { positionOf } from '../write-answer.ts'

interface GrantBody {
  role: string
  permission: string
  pattern: string
}

const ROLE = Type.String({ maxLength: ROLE_MAX })
const LOGIN = Type.String({ maxLength: 64 })
const GRANT = body({
  role: ROLE,
  permission: ROLE,
  pattern: Type.String({ maxLength: PATTERN_MAX }),
})
const RIGHT = body({ permission: ROLE, pattern: Type.String() })
const ROLE_PARAMS = Type.Object({ role: ROLE }, { additionalProperties: false })
const MEMBER = Type.Object({ role: ROLE, user: LOGIN }, { additionalProperties: false })
const ENTRY = body({ role: ROLE, members: Type.Integer(), grants: Type.Integer() })
const USER = body({ id: Type.String(), path: Type.String(), name: Type.String() })
const config = { access: 'grant' } as const
const AS_OF = { ...config, asOf: true } as const
const tags = ['administration']

/** `GET`, `PUT`, `DELETE /api/grants`: who may do what. */
export function grantRoutes(server: FastifyInstance, context: HttpContext): void {
  const { site } = context
  server.get<{ Querystring: { role?: string; at?: string } }>(
    '/api/grants',
    {
      config: AS_OF,
      schema: {
        tags,
        summary: 'Grants, now or as they were',
        querystring: query({ role: ROLE, at: AT }),
        response: answers({ 200: listOf(GRANT) }),
      },
    },
    async (request, reply) => {
      const { role } = request.query
      const when = demandMoment(request.at)
      const items = await readGrants(site, readerOf(request), role, pastPosition(when))
      return sendTimed(request, reply, when, JSON.stringify({ items, next: null }))
    },
  )
  server.put<{ Body: GrantBody }>(
    '/api/grants',
    {
      config,
      schema: {
        tags,
        summary: 'Give a role a right',
        querystring: NO_QUERY,
        body: GRANT,
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      const author = await authorOf(site, request)
      return apply(context, reply, author, it => permitRole(it, request.body))
    },
  )
  server.delete<{ Querystring: GrantBody }>(
    '/api/grants',
    {
      config: { ...config, consumes: [] },
      schema: {
        tags,
        summary: 'Take a right from a role',
        querystring: GRANT,
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      const author = await authorOf(site, request)
      return apply(context, reply, author, it => denyRole(it, request.query))
    },
  )
}

/** `GET /api/roles`, and `GET`, `PUT`, `DELETE` of their members. */
export function roleRoutes(server: FastifyInstance, context: HttpContext): void {
  const { site } = context
  server.get(
    '/api/roles',
    {
      config: AS_OF,
      schema: {
        tags,
        summary: 'All roles, now or as they were',
        querystring: query({ at: AT }),
        response: answers({ 200: listOf(ENTRY) }),
      },
    },
    async (request, reply) => {
      const when = demandMoment(request.at)
      const items = await readRoles(site, readerOf(request), pastPosition(when))
      return sendTimed(request, reply, when, JSON.stringify({ items, next: null }))
    },
  )
  server.get<{ Params: { role: string } }>(
    '/api/roles/:role',
    {
      config: AS_OF,
      schema: {
        tags,
        summary: 'What a role may do, and who has it',
        params: ROLE_PARAMS,
        querystring: query({ at: AT }),
        response: answers({
          200: body({ role: ROLE, grants: Type.Array(RIGHT), members: Type.Array(USER) }),
        }),
      },
    },
    async (request, reply) => {
      const when = demandMoment(request.at)
      const { role: name } = request.params
      const role = await readRole(site, readerOf(request), name, pastPosition(when))
      return sendTimed(request, reply, when, JSON.stringify(role))
    },
  )
  membersRoute(server, context)
  for (const method of ['PUT', 'DELETE'] as const) memberRoute(server, context, method)
}

function membersRoute(server: FastifyInstance, { site }: HttpContext): void {
  server.get<{ Params: { role: string } }>(
    '/api/roles/:role/members',
    {
      config: AS_OF,
      schema: {
        tags,
        summary: 'Who has a role',
        params: ROLE_PARAMS,
        querystring: query({ at: AT }),
        response: answers({ 200: listOf(USER) }),
      },
    },
    async (request, reply) => {
      const when = demandMoment(request.at)
      const { role } = request.params
      const items = await readMembers(site, readerOf(request), role, pastPosition(when))
      return sendTimed(request, reply, when, JSON.stringify({ items, next: null }))
    },
  )
}

function memberRoute(
  server: FastifyInstance,
  context: HttpContext,
  method: 'PUT' | 'DELETE',
): void {
  const { site } = context
  const run = method === 'PUT' ? assignUser : deassignUser
  const summary = method === 'PUT' ? 'Give a user a role' : 'Take a role from a user'
  server.route<{ Params: { role: string; user: string } }>({
    method,
    url: '/api/roles/:role/members/:user',
    config: { ...config, consumes: [] },
    schema: {
      tags,
      summary,
      params: MEMBER,
      querystring: NO_QUERY,
      response: answers({ 204: EMPTY }),
    },
    handler: async (request, reply) => {
      const { role, user } = request.params
      const author = await authorOf(site, request)
      const { account } = await getVisibleAccount(site, readerOf(request), user)
      return apply(context, reply, author, it => run(it, account.id, role))
    },
  })
}

async function apply(
  { site }: HttpContext,
  reply: FastifyReply,
  author: Parameters<typeof change>[1],
  work: (change: Change) => Promise<void>,
): Promise<FastifyReply> {
  const written = await change(site, author, work)
  return reply
    .code(204)
    .header('RM3-Position', await positionOf(site, written))
    .send()
}
