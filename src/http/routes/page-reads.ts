import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { absent } from '../../access/viewer.ts'
import { parsePath } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import type { PageAnswer } from '../../queries/page-answer.ts'
import { readPage } from '../../queries/read-page.ts'
import { readPageThen } from '../../queries/read-past.ts'
import { parseFields, recordText } from '../../queries/record.ts'
import type { HttpContext } from '../context.ts'
import { linkTimes, type MementoUrls, negotiated, recordUrls, sendToMemento } from '../memento.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sayWhen, sendJson, sendTagged } from '../reply.ts'
import { AT, answers, PATH_PARAMS, query, READ_HEADERS, RECORD } from '../schemas.ts'

interface PageRequest {
  Params: { path: string }
  Querystring: { at?: string; fields?: string }
}

/** `GET /api/pages/PATH`. */
export function pageReadRoutes(server: FastifyInstance, context: HttpContext): void {
  const { site } = context
  server.get<PageRequest>(
    '/api/pages/:path',
    {
      config: { access: 'view', asOf: 'asked' },
      schema: {
        tags: ['pages'],
        summary: 'A page, now or as it was',
        params: PATH_PARAMS,
        querystring: query({ at: AT, fields: Type.String({ maxLength: 400 }) }),
        headers: READ_HEADERS,
        response: answers({ 200: RECORD }),
      },
    },
    async (request, reply) => {
      const path = parsePath(request.params.path)
      const { fields } = request.query
      const wanted = await negotiated(site, request, path)
      if (wanted !== null) return sendToMemento(reply, recordUrls(path), wanted)
      const answer = await read(request, path)
      return sendPage(request, reply, { path, answer, fields, urls: recordUrls(path) })
    },
  )

  async function read(request: FastifyRequest, path: string): Promise<PageAnswer> {
    const reader = readerOf(request)
    if (request.asked === null) return readPage(site, reader, path, request.at)
    const { at, answer } = await readPageThen(site, reader, path, request.asked)
    request.at = at
    return answer
  }
}

/**
 * Answers with the record, or with what became of the page: 308 to the API's address of the page that moved, 410, 404.
 *
 * @param what `fields`: as in the query
 */
export function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  what: { path: string; answer: PageAnswer; fields?: string | undefined; urls: MementoUrls },
): FastifyReply {
  const { path, answer, fields, urls } = what
  switch (answer.type) {
    case 'page': {
      const { page, etag, position, recordedAt } = answer
      sayWhen(reply, position, recordedAt)
      linkTimes(reply, urls, path, answer)
      const wanted = fields === undefined ? undefined : parseFields(fields)
      return sendTagged(request, reply, etag, () => recordText(page, wanted))
    }
    case 'moved': {
      const search = /\?.*$/s.exec(request.url)?.[0] ?? ''
      reply.code(308).header('Location', `/api/pages/${answer.to}${search}`)
      return sendJson(reply, JSON.stringify({ path, movedTo: answer.to }))
    }
    default:
      throw notThere(path, answer)
  }
}

/** The error for a page that is not at its path any more, or never was. */
export function notThere(path: string, answer: Exclude<PageAnswer, { type: 'page' }>): Rm3Error {
  switch (answer.type) {
    case 'redirected':
      return new Rm3Error('PAGE_GONE', `${path} was deleted; see ${answer.url} instead`, {
        path,
        redirect: answer.url,
      })
    case 'gone':
      return new Rm3Error('PAGE_GONE', `${path} was deleted`, { path })
    default:
      return absent(path)
  }
}
