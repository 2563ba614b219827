import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Rm3Error } from '../../errors.ts'
import { isOurs, PROBLEM_TYPE, type ProblemAnswer, problemOf } from '../problem.ts'
import type { RouteTable } from '../route-table.ts'

/** Shows an error as a page. `null`: as problem+json after all. */
export type ErrorPage = (
  request: FastifyRequest,
  reply: FastifyReply,
  answer: ProblemAnswer,
) => Promise<string | null>

declare module 'fastify' {
  interface FastifyInstance {
    /** Set by who renders HTML: errors at addresses outside of /api go through it when HTML is asked for. */
    errorPage: { render: ErrorPage | null }
  }
}

/** Answers errors: problem+json, or a page where a browser asks for one. What is ours is logged with the request's id. */
export function addErrors(server: FastifyInstance, table: RouteTable): void {
  server.decorate('errorPage', { render: null })
  server.setErrorHandler((thrown, request, reply) => answerError(server, thrown, request, reply))
  server.setNotFoundHandler((request, reply) => {
    const allow = table.methodsAt(request.url)
    const thrown =
      allow.length === 0 || allow.includes(request.method)
        ? new Rm3Error('ROUTE_NOT_FOUND', 'there is nothing at this address')
        : notAllowed(request.method, allow)
    return answerError(server, thrown, request, reply)
  })
}

/** Answers one error. */
export async function answerError(
  server: FastifyInstance,
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const told = await lookedUp(server, thrown, request)
  const answer = problemOf(told, request.id)
  if (isOurs(told)) request.log.error({ err: told, requestId: request.id }, 'request failed')
  reply.code(answer.problem.status).headers(answer.headers)
  const html = wantsHtml(request) ? await pageOf(server, request, reply, answer) : null
  if (html !== null) return reply.header('Content-Type', 'text/html; charset=utf-8').send(html)
  return reply.header('Content-Type', PROBLEM_TYPE).send(JSON.stringify(answer.problem))
}

/** What is told of an error to someone whose token was only remembered: not even an error, when it is worth nothing by now. */
async function lookedUp(
  server: FastifyInstance,
  thrown: unknown,
  request: FastifyRequest,
): Promise<unknown> {
  if (!request.isRemembered || isOurs(thrown)) return thrown
  return server.identify(request).then(
    () => thrown,
    refused => refused,
  )
}

/** Whether an answer should be a page: the address is not the API's, and HTML is preferred over JSON. */
export function wantsHtml(request: FastifyRequest): boolean {
  const { accept } = request.headers
  if (request.url.startsWith('/api/') || accept === undefined) return false
  return prefersHtml(accept)
}

/** Whether `Accept` names HTML, and JSON not before it. */
export function prefersHtml(accept: string): boolean {
  const html = weightOf(accept, 'text/html')
  return html > 0 && html >= weightOf(accept, 'application/json')
}

/** Whether `Accept` names JSON before HTML. */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined) return false
  if (accept === 'application/json') return true
  return weightOf(accept, 'application/json') > weightOf(accept, 'text/html')
}

function weightOf(accept: string, type: string): number {
  for (const range of accept.split(',', 50)) {
    const [media = '', ...parameters] = range.split(';').map(part => part.trim().toLowerCase())
    if (media !== type) continue
    const weight = parameters.find(parameter => parameter.startsWith('q='))
    const value = weight === undefined ? 1 : Number(weight.slice(2))
    return Math.max(value, 0)
  }
  return 0
}

async function pageOf(
  server: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: ProblemAnswer,
): Promise<string | null> {
  const { render } = server.errorPage
  if (render === null) return null
  return render(request, reply, answer).catch(cause => {
    request.log.error({ err: cause, requestId: request.id }, 'the error page failed')
    return null
  })
}

function notAllowed(method: string, allow: readonly string[]): Rm3Error {
  const list = allow.join(', ')
  return new Rm3Error('METHOD_NOT_ALLOWED', `${method} is not for this address; use ${list}`, {
    allow: list,
  })
}
