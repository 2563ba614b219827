import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { parsePath } from '../../content/path.ts'
import { isRm3Error, Rm3Error } from '../../errors.ts'
import { viewerOf } from '../../queries/reader.ts'
import { renderRestore } from '../../scheme/restore-view.ts'
import { urlOfPath } from '../../scheme/site-urls.ts'
import type { Field } from '../../scheme/views-of-past.ts'
import { FORM_BODY } from '../plugins/bodies.ts'
import { authorOf, readerOf } from '../plugins/speaker.ts'
import { problemOf } from '../problem.ts'
import { type Query, queryOf, revisionOf, textOf } from './asked.ts'
import { formToken, isOwnForm } from './form-token.ts'
import { bringBack, isOfPlace, previewOf, type Restoring } from './restore-build.ts'
import { type Pages, RESTORE_URL, sceneOf } from './scene.ts'
import { sendFresh } from './send-html.ts'

const TEXT = Type.Optional(Type.String({ maxLength: 4_000 }))
const FORM = Type.Object({
  ...{ path: Type.String({ maxLength: 2_000 }), revision: TEXT, field: TEXT, seen: TEXT, to: TEXT },
  ...{ as: TEXT, below: TEXT, note: TEXT, _csrf: TEXT },
})
const ACCESS = { access: 'post.edit' } as const

/** `/$restore/`: what bringing a revision, a field or a deleted page back would come to, with the form that does it. */
export function restorePage(server: FastifyInstance, pages: Pages): void {
  server.get(RESTORE_URL, { config: ACCESS, schema: { hide: true } }, async (request, reply) =>
    answer(pages, request, reply, { asked: askedIn(queryOf(request)), problem: null }),
  )
  server.post<{ Body: Query }>(
    RESTORE_URL,
    { config: { ...ACCESS, consumes: FORM_BODY }, schema: { hide: true, body: FORM } },
    async (request, reply) => restore(pages, request, reply),
  )
}

/** @throws REQUEST_INVALID, PATH_INVALID */
function askedIn(query: Query): Restoring {
  const path = textOf(query, 'path')
  if (path === null) {
    throw new Rm3Error('REQUEST_INVALID', 'path: say which page', { parameter: 'path' })
  }
  return {
    path: parsePath(path),
    revision: textOf(query, 'revision') === '' ? null : revisionOf(query, 'revision'),
    field: textOf(query, 'field') || null,
    seen: textOf(query, 'seen') || null,
    draft: textOf(query, 'as') !== 'live',
    to: textOf(query, 'to')?.trim() || null,
    // what was below a page went with it, unless someone asks for it alone
    below: textOf(query, 'below') !== 'no',
    note: textOf(query, 'note') ?? '',
  }
}

const TOKEN_LOST = 'The form was open for too long, or cookies are off. Please try once more.'
const STALE = 'Someone changed the page meanwhile. This is what it would come to now.'

async function restore(
  pages: Pages,
  request: FastifyRequest<{ Body: Query }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { body } = request
  const asked = askedIn({ ...body, below: body['below'] === 'yes' ? 'yes' : 'no' })
  const again = (status: number, problem: string) =>
    answer(pages, request, reply.code(status), { asked, problem })
  if (!isOwnForm(request, body['_csrf'], pages.options.sessionSecret)) return again(403, TOKEN_LOST)
  try {
    const author = await authorOf(pages.site, request, asked.note)
    return reply.redirect(await bringBack(pages, author, asked), 303)
  } catch (thrown) {
    if (isRm3Error(thrown, 'IF_MATCH_STALE')) return again(412, STALE)
    if (!isOfPlace(thrown)) throw thrown
    return again(problemOf(thrown, request.id).problem.status, thrown.message)
  }
}

async function answer(
  pages: Pages,
  request: FastifyRequest,
  reply: FastifyReply,
  { asked, problem }: { asked: Restoring; problem: string | null },
): Promise<FastifyReply> {
  const viewer = await viewerOf(pages.site, readerOf(request))
  const scene = sceneOf(pages, request, { viewer, path: asked.path, when: null })
  const { seen, ...page } = await previewOf(scene, await authorOf(pages.site, request), asked)
  const html = renderRestore(pages.scheme, {
    ...{ ...page, problem: problem ?? page.problem, note: asked.note },
    historyUrl: `${urlOfPath(asked.path)}history.html`,
    action: RESTORE_URL,
    fields: [
      ...fieldsOf(asked, seen),
      { name: '_csrf', value: formToken(request, reply, pages.options.sessionSecret) },
    ],
  })
  return sendFresh(reply, html)
}

function fieldsOf({ path, revision, field }: Restoring, seen: string | null): Field[] {
  const fields = { path, revision: revision === null ? null : String(revision), field, seen }
  return Object.entries(fields).flatMap(([name, value]) =>
    value === null ? [] : [{ name, value }],
  )
}
