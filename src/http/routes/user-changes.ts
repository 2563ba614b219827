import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { changePassword, deleteUser } from '../../commands/account-changes.ts'
import { PASSWORD_MAX } from '../../content/limits.ts'
import { leafLabel } from '../../content/path.ts'
import { getVisibleAccount } from '../../queries/users.ts'
import { LOGINS_OF_ACCOUNT } from '../begin-session.ts'
import type { HttpContext } from '../context.ts'
import { demandPrivateLine } from '../cookies.ts'
import { authorOf, readerOf, speakerOf } from '../plugins/speaker.ts'
import { countTry, forgetTries } from '../rate-limit.ts'
import { answers, body, EMPTY, NO_QUERY, USER_PARAMS } from '../schemas.ts'
import { positionOf } from '../write-answer.ts'

const PASSWORD = Type.String({ maxLength: PASSWORD_MAX })
const tags = ['accounts']

/** `PUT /api/users/USER/password` and `DELETE /api/users/USER`. */
export function userChangeRoutes(server: FastifyInstance, context: HttpContext): void {
  passwordRoute(server, context)
  deleteRoute(server, context)
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
        summary: "Set one's own password, or another's; all sessions of the user end",
        params: USER_PARAMS,
        querystring: NO_QUERY,
        body: body({
          password: PASSWORD,
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
      const own = userId === account.id
      const counted = leafLabel(account.path)
      if (own) await countTry(site.db, LOGINS_OF_ACCOUNT, counted)
      await changePassword(site, author, { account, password, old })
      if (own) await forgetTries(site.db, LOGINS_OF_ACCOUNT, counted)
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
        params: USER_PARAMS,
        querystring: NO_QUERY,
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      const { account } = await getVisibleAccount(site, readerOf(request), request.params.user)
      const written = await deleteUser(site, await authorOf(site, request), account.id)
      reply.header('RM3-Position', await positionOf(site, written))
      return reply.code(204).send()
    },
  )
}
