import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { addUserWithPassword } from '../../commands/account-changes.ts'
import { change } from '../../commands/change.ts'
import { PASSWORD_MAX } from '../../content/limits.ts'
import { leafLabel } from '../../content/path.ts'
import { listUsers, readUser, USERS_DEFAULT, USERS_MAX } from '../../queries/users.ts'
import type { HttpContext } from '../context.ts'
import { demandPrivateLine } from '../cookies.ts'
import { authorOf, readerOf } from '../plugins/speaker.ts'
import { sendJson } from '../reply.ts'
import {
  AFTER,
  answers,
  body,
  INSTANT,
  LOGIN,
  listOf,
  NO_QUERY,
  query,
  USER_PARAMS,
  whole,
} from '../schemas.ts'
import { positionOf } from '../write-answer.ts'

const NULLABLE = Type.Union([Type.String(), Type.Null()])
const TEXT = Type.String({ maxLength: 2_000 })
const ENTRY = {
  user: Type.String({ description: 'Login name' }),
  id: Type.String(),
  path: Type.String(),
  name: Type.String(),
  email: Type.Optional(NULLABLE),
  disabled: Type.Optional(Type.Boolean()),
}
const CREDENTIAL = body({
  id: Type.String(),
  provider: Type.String(),
  label: NULLABLE,
  scope: NULLABLE,
  expires: NULLABLE,
  created: INSTANT,
})
const tags = ['accounts']

/** `GET` and `POST /api/users`, `GET /api/users/USER`. */
export function userRoutes(server: FastifyInstance, context: HttpContext): void {
  readRoutes(server, context)
  createRoute(server, context)
}

function readRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.get<{ Querystring: { limit?: number; after?: string } }>(
    '/api/users',
    {
      config: { access: 'view' },
      schema: {
        tags,
        summary: 'Users whom one may view',
        querystring: query({ limit: whole(1, USERS_MAX), after: AFTER }),
        response: answers({ 200: listOf(body(ENTRY)) }),
      },
    },
    async (request, reply) => {
      const { limit = USERS_DEFAULT, after = null } = request.query
      const users = await listUsers(site, readerOf(request), { limit, after })
      return sendJson(reply, JSON.stringify(users))
    },
  )

  server.get<{ Params: { user: string } }>(
    '/api/users/:user',
    {
      config: { access: 'view' },
      schema: {
        tags,
        summary: 'A user; roles and credentials for those who may know',
        params: USER_PARAMS,
        querystring: NO_QUERY,
        response: answers({
          200: body({
            ...ENTRY,
            roles: Type.Optional(Type.Array(Type.String())),
            credentials: Type.Optional(Type.Array(CREDENTIAL)),
          }),
        }),
      },
    },
    async (request, reply) => {
      const user = await readUser(site, readerOf(request), request.params.user)
      return sendJson(reply, JSON.stringify(user))
    },
  )
}

interface CreateRequest {
  Body: {
    user: string
    name: string
    profile?: string
    url?: string
    email?: string
    password?: string
  }
}

function createRoute(server: FastifyInstance, { site, options }: HttpContext): void {
  server.post<CreateRequest>(
    '/api/users',
    {
      config: { access: 'post.edit' },
      schema: {
        tags,
        summary: 'Make a user',
        querystring: NO_QUERY,
        body: body({
          user: LOGIN,
          name: Type.String({ maxLength: 500, description: 'The name people see' }),
          profile: Type.Optional(TEXT),
          url: Type.Optional(TEXT),
          email: Type.Optional(Type.String({ maxLength: 320 })),
          password: Type.Optional(Type.String({ maxLength: PASSWORD_MAX })),
        }),
        response: answers({
          201: body({
            user: Type.String(),
            id: Type.String(),
            path: Type.String(),
            name: Type.String(),
            position: Type.Integer(),
          }),
        }),
      },
    },
    async (request, reply) => {
      const { user: login, name, profile, url, email, password = null } = request.body
      if (password !== null) demandPrivateLine(request, options.httpsChecksDisabled)
      const given = {
        ...{ login, fullName: name },
        ...(profile !== undefined && { profile }),
        ...(url !== undefined && { profileUrl: url }),
        ...(email !== undefined && { email }),
      }
      const author = await authorOf(site, request)
      const written = await change(site, author, it => addUserWithPassword(it, given, password))
      const position = await positionOf(site, written)
      const { id, path } = written.result
      const user = leafLabel(path)
      reply.header('RM3-Position', position).header('Location', `/api/users/${user}`)
      return sendJson(reply.code(201), JSON.stringify({ user, id, path, name, position }))
    },
  )
}
