import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { findAccount } from '../../../projections/accounts.ts'
import { endSession } from '../../access/sessions.ts'
import { leafLabel } from '../../content/path.ts'
import { isRm3Error, type Rm3Error } from '../../errors.ts'
import { renderAccount, renderLogin } from '../../scheme/session-views.ts'
import { urlOfPath } from '../../scheme/site-urls.ts'
import { beginSession } from '../begin-session.ts'
import { clearSessionCookie, setSessionCookie } from '../cookies.ts'
import { FORM_BODY } from '../plugins/bodies.ts'
import { csrfTokenOf } from '../plugins/csrf.ts'
import { problemOf } from '../problem.ts'
import { ACCOUNT_URL, LOGIN_URL, LOGOUT_URL, ROOT } from './around.ts'
import { queryOf, textOf } from './asked.ts'
import { formToken, isOwnForm } from './form-token.ts'
import { nextOf } from './next.ts'
import type { Pages } from './scene.ts'
import { sendFresh } from './send-html.ts'
import { standing } from './standing.ts'

interface LoginForm {
  readonly user?: string
  readonly password?: string
  readonly next?: string
  readonly _csrf?: string
}

const TEXT = Type.Optional(Type.String({ maxLength: 4_000 }))
const FORM = Type.Object({ user: TEXT, password: TEXT, next: TEXT, _csrf: TEXT })
const PAGE = { config: { access: 'public' }, schema: { hide: true } } as const
const POSTED = { access: 'public', consumes: FORM_BODY } as const

/** `/$login/`, `/$account/` and `/$logout/`. */
export function sessionPages(server: FastifyInstance, pages: Pages): void {
  for (const url of [LOGIN_URL, ACCOUNT_URL]) {
    server.get(url.slice(0, -1), PAGE, async (request, reply) =>
      reply.redirect(request.url.replace(url.slice(0, -1), url), 308),
    )
  }
  server.get(LOGIN_URL, PAGE, async (request, reply) => {
    const next = nextOf(textOf(queryOf(request), 'next'))
    if (request.sessionId !== null) return reply.redirect(next, 303)
    return sendFresh(reply, await loginPage(pages, request, reply, { next, error: null, user: '' }))
  })
  server.post<{ Body: LoginForm }>(
    LOGIN_URL,
    { config: POSTED, schema: { hide: true, body: FORM } },
    async (request, reply) => logIn(pages, request, reply, request.body),
  )
  server.get(ACCOUNT_URL, PAGE, async (request, reply) => {
    if (request.speaker !== null) return sendFresh(reply, await accountPage(pages, request))
    return reply.redirect(`${LOGIN_URL}?${new URLSearchParams({ next: ACCOUNT_URL })}`, 303)
  })
  server.post(
    LOGOUT_URL,
    { config: POSTED, schema: { hide: true, body: Type.Object({ _csrf: TEXT }) } },
    async (request, reply) => {
      if (request.sessionId !== null) await endSession(pages.site.db, request.sessionId)
      clearSessionCookie(request, reply)
      return reply.redirect('/', 303)
    },
  )
}

/** Errors of a login that the form tells; others become error pages. */
const TOLD: Partial<Record<string, string>> = {
  LOGIN_FAILED: 'That user name and password do not belong together.',
  PERMISSION_DENIED:
    'Logging in is only possible over https: this connection is not encrypted, and a password would be there for all to read.',
}

async function logIn(
  pages: Pages,
  request: FastifyRequest,
  reply: FastifyReply,
  form: LoginForm,
): Promise<FastifyReply> {
  const { user = '', password = '', _csrf } = form
  const next = nextOf(form.next ?? null)
  const again = async (status: number, error: string) => {
    const html = await loginPage(pages, request, reply, { next, error, user: user.slice(0, 200) })
    return sendFresh(reply.code(status), html)
  }
  if (!isOwnForm(request, _csrf, pages.options.sessionSecret)) {
    return again(403, 'The form was open for too long, or cookies are off. Please try once more.')
  }
  try {
    const { site, options } = pages
    const begun = await beginSession(
      { site, options, wakeups: null, appends: null },
      request,
      user,
      password,
    )
    setSessionCookie(request, reply, begun.cookie)
    return reply.redirect(next, 303)
  } catch (thrown) {
    if (isRm3Error(thrown, 'RATE_LIMITED')) return again(429, tooMany(reply, thrown))
    const told = isRm3Error(thrown) ? TOLD[thrown.code] : undefined
    if (told === undefined) throw thrown
    return again(problemOf(thrown, request.id).problem.status, told)
  }
}

function tooMany(reply: FastifyReply, { details }: Rm3Error): string {
  const seconds = Number(details['retryAfterSeconds']) || 1
  reply.header('Retry-After', String(seconds))
  const wait = seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`
  return `There were too many tries. Please wait ${wait}.`
}

async function loginPage(
  pages: Pages,
  request: FastifyRequest,
  reply: FastifyReply,
  { next, error, user }: { next: string; error: string | null; user: string },
): Promise<string> {
  const { frame } = await standing(pages, request)
  const csrf = formToken(request, reply, pages.options.sessionSecret)
  return renderLogin(pages.scheme, { frame, action: LOGIN_URL, csrf, next, error, user })
}

async function accountPage(pages: Pages, request: FastifyRequest): Promise<string> {
  const { frame, scene } = await standing(pages, request)
  const { speaker } = request
  const account = speaker && (await findAccount(pages.site.db, speaker.userId))
  const path = account?.path ?? ROOT
  return renderAccount(pages.scheme, {
    frame,
    name: account?.name || leafLabel(path),
    login: leafLabel(path),
    pageUrl: account && scene.viewer.may('view', path) ? urlOfPath(path) : null,
    roles: speaker?.viewer.roles ?? [],
    logoutAction: LOGOUT_URL,
    csrf: csrfTokenOf(request, pages.options.sessionSecret) ?? '',
  })
}
