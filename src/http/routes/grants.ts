import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { type Change, change, type Site } from '../../commands/change.ts'
import { denyRole, permitRole } from '../../commands/rights.ts'
import type { GrantChange } from '../../content/events.ts'
import { PATH_MAX, PATTERN_MAX, ROLE_MAX } from '../../content/limits.ts'
import { parsePath } from '../../content/path.ts'
import { canonicalPattern } from '../../content/pattern.ts'
import { resolvePosition } from '../../queries/at.ts'
import { explainRight } from '../../queries/explain.ts'
import { readGrants } from '../../queries/grants.ts'
import type { HttpContext } from '../context.ts'
import { authorOf, readerOf } from '../plugins/speaker.ts'
import { sayWhen, sendJson } from '../reply.ts'
import { AT, answers, body, EMPTY, listOf, NO_QUERY, query } from '../schemas.ts'
import { positionOf } from '../write-answer.ts'

const ROLE = Type.String({ maxLength: ROLE_MAX })
const PERMISSION = Type.String({ maxLength: ROLE_MAX, description: 'Such as view or post.edit' })
const PATTERN = Type.String({ maxLength: PATTERN_MAX, description: 'Such as wh.blog.* or *' })
const MEMBERS = { role: ROLE, permission: PERMISSION, pattern: PATTERN }
const GRANT = body(MEMBERS)
const CHANGED = body({
  ...MEMBERS,
  changed: Type.Boolean({ description: 'Whether it was not so before' }),
  position: Type.Integer(),
})
const config = { access: 'grant' } as const
const tags = ['rights']

/** `GET`, `PUT` and `DELETE /api/grants`, and `GET /api/explain`: for those with `grant` on the site. */
export function grantRoutes(server: FastifyInstance, context: HttpContext): void {
  listRoute(server, context)
  changeRoutes(server, context)
  explainRoute(server, context)
}

function listRoute(server: FastifyInstance, { site }: HttpContext): void {
  server.get<{ Querystring: { role?: string; at?: string } }>(
    '/api/grants',
    {
      config,
      schema: {
        tags,
        summary: 'Which role may do what where, now or as it was',
        querystring: query({ role: ROLE, at: AT }),
        response: answers({ 200: listOf(GRANT) }),
      },
    },
    async (request, reply) => {
      const { role = null, at } = request.query
      const when = at === undefined ? null : await resolvePosition(site.db, at)
      const items = await readGrants(site, readerOf(request), role, when?.position ?? null)
      if (when !== null) sayWhen(reply, when.position, when.recordedAt)
      return sendJson(reply, JSON.stringify({ items, next: null }))
    },
  )
}

function changeRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.put<{ Body: GrantChange }>(
    '/api/grants',
    {
      config,
      schema: {
        tags,
        summary: 'Give a role a right on the paths of a pattern',
        querystring: NO_QUERY,
        body: GRANT,
        response: answers({ 200: CHANGED, 201: CHANGED }),
      },
    },
    async (request, reply) => {
      const { position, changed } = await changeGrant(site, request, reply, permitRole)
      const { role, permission, pattern } = request.body
      const grant = { role, permission, pattern: canonicalPattern(pattern) }
      return sendJson(
        reply.code(changed ? 201 : 200),
        JSON.stringify({ ...grant, changed, position }),
      )
    },
  )

  server.delete<{ Body: GrantChange }>(
    '/api/grants',
    {
      config,
      schema: {
        tags,
        summary: 'Take that right from the role; the grant in the body or in the query',
        querystring: query(MEMBERS),
        body: GRANT,
        response: answers({ 204: EMPTY }),
      },
      preValidation: async request => {
        request.body ??= { ...(request.query as GrantChange) }
      },
    },
    async (request, reply) => {
      await changeGrant(site, request, reply, denyRole)
      return reply.code(204).send()
    },
  )
}

async function changeGrant(
  site: Site,
  request: FastifyRequest,
  reply: FastifyReply,
  command: (change: Change, grant: GrantChange) => Promise<void>,
): Promise<{ position: number; changed: boolean }> {
  const { role, permission, pattern } = request.body as GrantChange
  const author = await authorOf(site, request)
  const written = await change(site, author, it => command(it, { role, permission, pattern }))
  const position = await positionOf(site, written)
  reply.header('RM3-Position', position)
  return { position, changed: written.events.length > 0 }
}

interface ExplainRequest {
  Querystring: { user: string; permission: string; path: string; at?: string }
}

function explainRoute(server: FastifyInstance, { site }: HttpContext): void {
  server.get<ExplainRequest>(
    '/api/explain',
    {
      config,
      schema: {
        tags,
        summary: 'Why somebody may do something on a path, or may not',
        querystring: Type.Object(
          {
            user: Type.String({ maxLength: 64, description: 'Login name, or nobody' }),
            permission: PERMISSION,
            path: Type.String({ maxLength: PATH_MAX }),
            at: Type.Optional(AT),
          },
          { additionalProperties: false },
        ),
        response: answers({
          200: body({
            user: Type.String(),
            permission: Type.String(),
            path: Type.String(),
            allowed: Type.Boolean(),
            roles: Type.Array(Type.String()),
            because: Type.Array(GRANT),
            missing: Type.Array(GRANT),
          }),
        }),
      },
    },
    async (request, reply) => {
      const { user, permission, at } = request.query
      const path = parsePath(request.query.path)
      const when = at === undefined ? null : await resolvePosition(site.db, at)
      const position = when?.position ?? null
      const asked = { user, permission, path, position }
      const explanation = await explainRight(site, readerOf(request), asked)
      if (when !== null) sayWhen(reply, when.position, when.recordedAt)
      return sendJson(reply, JSON.stringify(explanation))
    },
  )
}
