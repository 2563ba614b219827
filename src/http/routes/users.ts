import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import {
  addUser,
  getAccount,
  type NewUser,
  setPassword,
  userPath,
} from '../../commands/accounts.ts'
import { change } from '../../commands/change.ts'
import { Rm3Error } from '../../errors.ts'
import { findUserEntry, listUsers, USERS_MAX } from '../../queries/administration.ts'
import type { HttpContext } from '../context.ts'
import { demandPrivateLine } from '../cookies.ts'
import { authorOf, readerOf } from '../plugins/speaker.ts'
import { sendJson } from '../reply.ts'
import {
  AFTER,
  answers,
  body,
  EMPTY,
  ESSENTIALS,
  listOf,
  NO_QUERY,
  query,
  WRITE_HEADERS,
  whole,
} from '../schemas.ts'
import { sendWritten } from '../write-answer.ts'

const USERS_DEFAULT = 50
const LOGIN = Type.String({ maxLength: 64 })
const TEXT = Type.String({ maxLength: 500 })
const LOGIN_PARAMS = Type.Object({ user: LOGIN }, { additionalProperties: false })
const USER = Type.Object({
  id: Type.String(),
  login: LOGIN,
  path: Type.String(),
  name: Type.String(),
  email: Type.Union([Type.String(), Type.Null()]),
  disabled: Type.Boolean(),
  roles: Type.Array(Type.String()),
})
const tags = ['accounts']

/** `GET`, `POST /api/users`, `GET /api/users/LOGIN` and `PUT /api/users/LOGIN/password`. */
export function userRoutes(server: FastifyInstance, context: HttpContext): void {
  const { site } = context
  server.get<{ Querystring: { limit?: number; after?: string } }>(
    '/api/users',
    {
      config: { access: 'view' },
      schema: {
        tags,
        summary: 'Users whose pages one may view',
        querystring: query({ limit: whole(1, USERS_MAX), after: AFTER }),
        response: answers({ 200: listOf(USER) }),
      },
    },
    async (request, reply) => {
      const { limit = USERS_DEFAULT, after = null } = request.query
      const list = await listUsers(site, readerOf(request), { limit, after })
      return sendJson(reply, JSON.stringify(list))
    },
  )
  server.get<{ Params: { user: string } }>(
    '/api/users/:user',
    {
      config: { access: 'view' },
      schema: {
        tags,
        summary: 'A user',
        params: LOGIN_PARAMS,
        querystring: NO_QUERY,
        response: answers({ 200: USER }),
      },
    },
    async (request, reply) => {
      const user = await findUserEntry(site, readerOf(request), userPath(request.params.user))
      if (user === null) throw new Rm3Error('USER_NOT_FOUND', 'there is no such user')
      return sendJson(reply, JSON.stringify(user))
    },
  )
  userWriteRoutes(server, context)
}

function userWriteRoutes(server: FastifyInstance, { site, options }: HttpContext): void {
  server.post<{ Body: NewUser }>(
    '/api/users',
    {
      config: { access: 'post.edit', idempotent: true },
      schema: {
        tags,
        summary: 'Add a user, who cannot log in before a password is set',
        querystring: NO_QUERY,
        headers: WRITE_HEADERS,
        body: body({
          login: LOGIN,
          fullName: TEXT,
          profile: Type.Optional(TEXT),
          profileUrl: Type.Optional(TEXT),
          email: Type.Optional(TEXT),
        }),
        response: answers({ 201: ESSENTIALS }),
      },
    },
    async (request, reply) => {
      const author = await authorOf(site, request)
      const written = await change(site, author, it => addUser(it, request.body))
      return sendWritten(site, reply.code(201), written)
    },
  )
  server.put<{ Params: { user: string }; Body: { password: string } }>(
    '/api/users/:user/password',
    {
      config: { access: 'self' },
      schema: {
        tags,
        summary: "Set a password: one's own, or with `user.edit` another's; all sessions end",
        params: LOGIN_PARAMS,
        querystring: NO_QUERY,
        body: body({ password: Type.String() }),
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      demandPrivateLine(request, options.httpsChecksDisabled)
      const author = await authorOf(site, request)
      const path = userPath(request.params.user)
      if (!author.viewer.may('user.edit', path) && author.viewer.userId === null) {
        throw new Rm3Error('LOGIN_REQUIRED', 'log in, or send a token')
      }
      const { id } = await getAccount(site.db, request.params.user)
      await setPassword(site, author, id, request.body.password)
      return reply.code(204).send()
    },
  )
}
