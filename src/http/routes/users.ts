import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { addUserWithPassword, changePassword, deleteUser } from '../../commands/account-changes.ts'
import type { NewUser } from '../../commands/accounts.ts'
import { change } from '../../commands/change.ts'
import { leafLabel } from '../../content/path.ts'
import { getUser, getVisibleAccount, listUsers, USERS_MAX } from '../../queries/administration.ts'
import { demandMoment, pastPosition } from '../../queries/at.ts'
import { LOGINS_OF_ACCOUNT } from '../begin-session.ts'
import type { HttpContext } from '../context.ts'
import { demandPrivateLine } from '../cookies.ts'
import { authorOf, readerOf, speakerOf } from '../plugins/speaker.ts'
import { countTry, forgetTries } from '../rate-limit.ts'
import { sendTimed } from '../reply.ts'
import {
  AFTER,
  AT,
  answers,
  body,
  EMPTY,
  ESSENTIALS,
  INSTANT,
  listOf,
  NO_QUERY,
  query,
  whole,
} from '../schemas.ts'
import { positionOf, sendWritten } from '../write-answer.ts'

const USERS_DEFAULT = 50
const LOGIN = Type.String({ maxLength: 64 })
const TEXT = Type.String({ maxLength: 500 })
const LOGIN_PARAMS = Type.Object({ user: LOGIN }, { additionalProperties: false })
const NULLABLE = Type.Union([Type.String(), Type.Null()])
const USER = Type.Object({
  id: Type.String(),
  login: LOGIN,
  path: Type.String(),
  name: Type.String(),
  email: NULLABLE,
  disabled: Type.Union([Type.Boolean(), Type.Null()]),
  roles: Type.Union([Type.Array(Type.String()), Type.Null()]),
})
const CREDENTIAL = body({
  id: Type.String(),
  provider: Type.String(),
  label: NULLABLE,
  scope: NULLABLE,
  expires: NULLABLE,
  created: INSTANT,
})
const USER_WITH_CREDENTIALS = Type.Intersect([
  USER,
  Type.Object({ credentials: Type.Union([Type.Array(CREDENTIAL), Type.Null()]) }),
])
const tags = ['accounts']

/** `GET`, `POST /api/users`, `GET`, `DELETE /api/users/LOGIN` and `PUT /api/users/LOGIN/password`. */
export function userRoutes(server: FastifyInstance, context: HttpContext): void {
  const { site } = context
  server.get<{ Querystring: { limit?: number; after?: string } }>(
    '/api/users',
    {
      config: { access: 'view', asOf: true },
      schema: {
        tags,
        summary: 'Users whose pages one may view, now or as they were',
        querystring: query({ limit: whole(1, USERS_MAX), after: AFTER, at: AT }),
        response: answers({ 200: listOf(USER) }),
      },
    },
    async (request, reply) => {
      const { limit = USERS_DEFAULT, after = null } = request.query
      const when = demandMoment(request.at)
      const part = { limit, after, position: pastPosition(when) }
      const list = await listUsers(site, readerOf(request), part)
      return sendTimed(request, reply, when, JSON.stringify(list))
    },
  )
  server.get<{ Params: { user: string } }>(
    '/api/users/:user',
    {
      config: { access: 'view', asOf: true },
      schema: {
        tags,
        summary: 'A user, with roles and credentials for those who may know',
        params: LOGIN_PARAMS,
        querystring: query({ at: AT }),
        response: answers({ 200: USER_WITH_CREDENTIALS }),
      },
    },
    async (request, reply) => {
      const when = demandMoment(request.at)
      const { user: login } = request.params
      const user = await getUser(site, readerOf(request), login, pastPosition(when))
      return sendTimed(request, reply, when, JSON.stringify(user))
    },
  )
  createRoute(server, context)
  passwordRoute(server, context)
  deleteRoute(server, context)
}

type CreateRequest = { Body: NewUser & { password?: string } }

function createRoute(server: FastifyInstance, { site, options }: HttpContext): void {
  server.post<CreateRequest>(
    '/api/users',
    {
      // no Idempotency-Key: a digest of the body, and so of the password, would be kept for it
      config: { access: 'post.edit' },
      schema: {
        tags,
        summary: 'Add a user, who cannot log in before a password is set',
        querystring: NO_QUERY,
        body: body({
          login: LOGIN,
          fullName: TEXT,
          profile: Type.Optional(TEXT),
          profileUrl: Type.Optional(TEXT),
          email: Type.Optional(TEXT),
          password: Type.Optional(
            Type.String({ description: 'Takes `user.edit` on the new path' }),
          ),
        }),
        response: answers({ 201: ESSENTIALS }),
      },
    },
    async (request, reply) => {
      const { password = null, ...user } = request.body
      if (password !== null) demandPrivateLine(request, options.httpsChecksDisabled)
      const author = await authorOf(site, request)
      const written = await change(site, author, it => addUserWithPassword(it, user, password))
      reply.code(201).header('Location', `/api/users/${user.login.toLowerCase()}`)
      return sendWritten(site, reply, written)
    },
  )
}

interface PasswordRequest {
  Params: { user: string }
  Body: { password: string; old?: string }
}

function passwordRoute(server: FastifyInstance, { site, options }: HttpContext): void {
  server.put<PasswordRequest>(
    '/api/users/:user/password',
    {
      config: { access: 'self' },
      schema: {
        tags,
        summary: "Set a password: one's own, or with `user.edit` another's; all sessions end",
        params: LOGIN_PARAMS,
        querystring: NO_QUERY,
        body: body({
          password: Type.String(),
          old: Type.Optional(Type.String({ description: "The one until now, for one's own" })),
        }),
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      const { userId } = speakerOf(request)
      demandPrivateLine(request, options.httpsChecksDisabled)
      const { account } = await getVisibleAccount(site, readerOf(request), request.params.user)
      const { password, old = null } = request.body
      const author = await authorOf(site, request)
      const counted = userId === account.id ? leafLabel(account.path) : null
      if (counted !== null) await countTry(site.db, LOGINS_OF_ACCOUNT, counted)
      await changePassword(site, author, { account, password, old })
      if (counted !== null) await forgetTries(site.db, LOGINS_OF_ACCOUNT, counted)
      return reply.code(204).send()
    },
  )
}

function deleteRoute(server: FastifyInstance, { site }: HttpContext): void {
  server.delete<{ Params: { user: string } }>(
    '/api/users/:user',
    {
      config: { access: 'post.delete', consumes: [] },
      schema: {
        tags,
        summary: 'Delete a user; sessions end, passwords and tokens are void',
        params: LOGIN_PARAMS,
        querystring: NO_QUERY,
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      const { account } = await getVisibleAccount(site, readerOf(request), request.params.user)
      const written = await deleteUser(site, await authorOf(site, request), account.id)
      return reply
        .code(204)
        .header('RM3-Position', await positionOf(site, written))
        .send()
    },
  )
}
