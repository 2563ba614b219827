import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { findAccount } from '../../../projections/accounts.ts'
import { endSession } from '../../access/sessions.ts'
import { beginSession } from '../begin-session.ts'
import type { HttpContext } from '../context.ts'
import { clearSessionCookie, setSessionCookie } from '../cookies.ts'
import { csrfTokenOf } from '../plugins/csrf.ts'
import { sendJson } from '../reply.ts'
import { answers, body, EMPTY, NO_QUERY } from '../schemas.ts'

const NULLABLE = Type.Union([Type.String(), Type.Null()])
const SESSION = body({
  user: Type.Union([
    body({ id: Type.String(), path: Type.String(), name: Type.String() }),
    Type.Null(),
  ]),
  roles: Type.Array(Type.String()),
  csrfToken: NULLABLE,
})
const tags = ['accounts']

/** `POST`, `GET` and `DELETE /api/session`. */
export function sessionRoutes(server: FastifyInstance, context: HttpContext): void {
  const { site, options } = context

  server.post<{ Body: { user: string; password: string; totp?: string } }>(
    '/api/session',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Log in',
        querystring: NO_QUERY,
        body: body({
          user: Type.String({ description: 'Login name or e-mail address' }),
          password: Type.String(),
          totp: Type.Optional(Type.String()),
        }),
        response: answers({ 200: SESSION }),
      },
    },
    async (request, reply) => {
      const { user, password } = request.body
      const session = await beginSession(context, request, user, password)
      setSessionCookie(request, reply, session.cookie)
      return sendJson(reply, JSON.stringify(session.answer))
    },
  )

  server.get(
    '/api/session',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Who one is',
        querystring: NO_QUERY,
        response: answers({ 200: SESSION }),
      },
    },
    async (request, reply) => {
      const { speaker } = request
      const account = speaker && (await findAccount(site.db, speaker.userId))
      const user = account && { id: account.id, path: account.path, name: account.name }
      const roles = speaker?.viewer.roles ?? []
      const token = csrfTokenOf(request, options.sessionSecret)
      return sendJson(reply, JSON.stringify({ user, roles, csrfToken: token }))
    },
  )

  logoutRoute(server, context)
}

function logoutRoute(server: FastifyInstance, { site }: HttpContext): void {
  server.delete(
    '/api/session',
    {
      config: { access: 'public', consumes: [] },
      schema: {
        tags,
        summary: 'Log out',
        querystring: NO_QUERY,
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      if (request.sessionId !== null) await endSession(site.db, request.sessionId)
      clearSessionCookie(request, reply)
      return reply.code(204).send()
    },
  )
}
