import type { FastifyInstance, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { findAccount, listCredentials } from '../../../projections/accounts.ts'
import { denied } from '../../access/viewer.ts'
import {
  createToken,
  getAccount,
  revokeCredential,
  SCOPES,
  type Scope,
} from '../../commands/accounts.ts'
import type { Site } from '../../commands/change.ts'
import { Rm3Error } from '../../errors.ts'
import { parseInstant } from '../../queries/at.ts'
import type { HttpContext } from '../context.ts'
import { authorOf, speakerOf } from '../plugins/speaker.ts'
import { sendJson } from '../reply.ts'
import { answers, body, EMPTY, ID_PARAMS, INSTANT, listOf, NO_QUERY, query } from '../schemas.ts'

const LABEL_MAX = 200
const USER = Type.String({ maxLength: 64, description: 'Login name; oneself when not given' })
const NULLABLE = Type.Union([Type.String(), Type.Null()])
const TOKEN = body({
  id: Type.String(),
  label: NULLABLE,
  scope: NULLABLE,
  expires: NULLABLE,
  created: INSTANT,
})
const tags = ['accounts']

/** `GET`, `POST /api/tokens` and `DELETE /api/tokens/ID`: one's own, or with `user.edit` another's. */
export function tokenRoutes(server: FastifyInstance, { site }: HttpContext): void {
  const config = { access: 'self' } as const

  server.get<{ Querystring: { user?: string } }>(
    '/api/tokens',
    {
      config,
      schema: {
        tags,
        summary: 'API tokens, without their secrets',
        querystring: query({ user: USER }),
        response: answers({ 200: listOf(TOKEN) }),
      },
    },
    async (request, reply) => {
      const userId = await userOf(site, request, request.query.user)
      const credentials = await listCredentials(site.db, userId)
      const items = credentials
        .filter(({ provider }) => provider === 'token')
        .map(({ credential: id, label, scope, expires, created }) => {
          return { id, label, scope, expires, created }
        })
      return sendJson(reply, JSON.stringify({ items, next: null }))
    },
  )

  server.delete<{ Params: { id: string }; Querystring: { user?: string } }>(
    '/api/tokens/:id',
    {
      config: { ...config, consumes: [] },
      schema: {
        tags,
        summary: 'Revoke a token, at once',
        params: ID_PARAMS,
        querystring: query({ user: USER }),
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      const userId = await userOf(site, request, request.query.user)
      const author = await authorOf(site, request)
      await revokeCredential(site, author, { userId, credential: request.params.id })
      return reply.code(204).send()
    },
  )

  createRoute(server, site)
}

interface CreateRequest {
  Body: { label?: string; scope?: Scope; expires?: string; user?: string }
}

function createRoute(server: FastifyInstance, site: Site): void {
  server.post<CreateRequest>(
    '/api/tokens',
    {
      config: { access: 'self' },
      schema: {
        tags,
        summary: 'Make a token; it is shown this once',
        querystring: NO_QUERY,
        body: body({
          label: Type.Optional(Type.String({ maxLength: LABEL_MAX })),
          scope: Type.Optional(Type.Enum([...SCOPES])),
          expires: Type.Optional(INSTANT),
          user: Type.Optional(USER),
        }),
        response: answers({ 201: body({ id: Type.String(), token: Type.String() }) }),
      },
    },
    async (request, reply) => {
      const { label, scope, user } = request.body
      const expires = expiryOf(site, request.body.expires)
      const userId = await userOf(site, request, user)
      const author = await authorOf(site, request)
      const made = await createToken(site, author, {
        userId,
        ...(label !== undefined && { label }),
        ...(scope !== undefined && { scope }),
        ...(expires !== null && { expires }),
      })
      return sendJson(reply.code(201), JSON.stringify(made))
    },
  )
}

/** @throws LOGIN_REQUIRED, PERMISSION_DENIED for what is neither one's own nor under `user.edit`, USER_NOT_FOUND */
async function userOf(
  site: Site,
  request: FastifyRequest,
  login: string | undefined,
): Promise<string> {
  const { viewer, userId } = speakerOf(request)
  const account =
    login === undefined ? await findAccount(site.db, userId) : await getAccount(site.db, login)
  if (account === null) throw new Rm3Error('USER_NOT_FOUND', 'there is no such user')
  const own = viewer.userId === account.id
  if (!own && !viewer.may('user.edit', account.path)) {
    throw denied(viewer, 'user.edit', login === undefined ? account.path : 'wh.users')
  }
  return account.id
}

/** @throws REQUEST_INVALID unless it is an instant to come */
function expiryOf(site: Site, text: string | undefined): string | null {
  if (text === undefined) return null
  const instant = parseInstant(text)
  if (instant !== null && instant > site.now()) return instant
  throw new Rm3Error('REQUEST_INVALID', 'expires is an RFC 3339 instant in the future', {
    pointer: '/expires',
  })
}
