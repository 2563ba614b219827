import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { BlobRow } from '../../../projections/blobs.ts'
import { toFileUrl } from '../../content/file-url.ts'
import { isUnder, parsePath } from '../../content/path.ts'
import {
  changesBetween,
  filesBetween,
  patchBetween,
  readSides,
  type Side,
  type Sides,
} from '../../queries/compare.ts'
import { labelOf } from '../../scheme/diff-fields.ts'
import type { HttpContext } from '../context.ts'
import { prefersJson } from '../plugins/errors.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sendJson } from '../reply.ts'
import { answers, PATH_PARAMS } from '../schemas.ts'

interface DiffRequest {
  Params: { path: string }
  Querystring: { from: string; to: string; form?: 'patch' | 'readable' }
}

const MOMENT = Type.String({
  maxLength: 60,
  description: 'A number of a revision, or as `at`: then what readers saw',
})
const QUERY = Type.Object(
  {
    from: MOMENT,
    to: MOMENT,
    form: Type.Optional(
      Type.Union([Type.Literal('patch'), Type.Literal('readable')], {
        description: 'readable: also what a person would say has changed',
      }),
    ),
  },
  { additionalProperties: false },
)
const JSON_OBJECTS = Type.Array(Type.Object({}, { additionalProperties: true }))
const DIFFERENCE = Type.Object({
  from: Type.Integer(),
  to: Type.Integer(),
  patch: JSON_OBJECTS,
  changes: Type.Optional(JSON_OBJECTS),
  files: Type.Optional(JSON_OBJECTS),
})
const ROOT = 'wh'

/** `GET /api/pages/PATH/diff`. */
export function diffRoutes(server: FastifyInstance, { site }: HttpContext): void {
  const { pageHtml } = server
  server.get<DiffRequest>(
    '/api/pages/:path/diff',
    {
      config: { access: 'history' },
      schema: {
        tags: ['history'],
        summary: 'How a page differs between two times',
        params: PATH_PARAMS,
        querystring: QUERY,
        response: answers({ 200: DIFFERENCE }),
      },
    },
    async (request, reply) => {
      const path = parsePath(request.params.path)
      const { accept = '*/*' } = request.headers
      if (pageHtml.render !== null && /\btext\/html\b/.test(accept) && !prefersJson(accept)) {
        return pageHtml.render(request, reply, {
          path,
          page: 'diff.html',
          rest: [],
          redirect: null,
        })
      }
      const { from, to, form = 'patch' } = request.query
      const found = await readSides(site, readerOf(request), path, { from, to })
      return sendJson(reply, JSON.stringify(form === 'patch' ? short(found) : readable(found)))
    },
  )
}

function short(sides: Sides) {
  return { from: sides.from.revision, to: sides.to.revision, patch: patchBetween(sides) }
}

function readable(sides: Sides) {
  return {
    ...short(sides),
    changes: changesBetween(sides).map(change => ({ label: labelOf(change.pointer), ...change })),
    files: filesBetween(sides).map(({ name, before, after }) => ({
      name,
      before: before && shown(before, sides.from),
      after: after && shown(after, sides.to),
    })),
  }
}

function shown({ name, sha256, mediaType, sizeBytes }: BlobRow, side: Side) {
  return { sha256, mediaType, sizeBytes, url: fileUrlOf(name, side) }
}

/** The address of a file as it was; null where its page has none. */
export function fileUrlOf(name: string, { path, position }: Side): string | null {
  return isUnder(path, ROOT) ? `${toFileUrl(path, name)}?at=position:${position}` : null
}
