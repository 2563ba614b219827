import type { FastifyInstance, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { BlobRow } from '../../../projections/blobs.ts'
import { detachBlob, uploadBlob } from '../../commands/blobs.ts'
import { change } from '../../commands/change.ts'
import { toFileUrl } from '../../content/file-url.ts'
import { BLOB_MAX_BYTES, BLOB_NAME_MAX, PATH_MAX } from '../../content/limits.ts'
import { isUnder, parsePath } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import { readBlobs } from '../../queries/blobs.ts'
import type { HttpContext } from '../context.ts'
import { FILE_BODIES } from '../plugins/bodies.ts'
import { authorOf, readerOf } from '../plugins/speaker.ts'
import { etagOf, sayWhen, sendJson, sendTagged } from '../reply.ts'
import { AT, answers, body, EMPTY, listOf, NO_QUERY, PATH_PARAMS, query } from '../schemas.ts'
import { positionOf } from '../write-answer.ts'
import { notThere } from './page-reads.ts'

const CATEGORY = Type.Enum(['public', 'private'], {
  description: 'private: only those who may edit the page get it',
})
const NULLABLE = Type.Union([Type.String(), Type.Null()])
const BLOB = {
  name: Type.String(),
  sha256: Type.String(),
  sizeBytes: Type.Integer(),
  mediaType: Type.String({ description: 'By its content' }),
  category: CATEGORY,
  url: NULLABLE,
}
const NAME_PARAMS = Type.Object(
  {
    path: Type.String({ maxLength: PATH_MAX, description: 'Dotted path of the page' }),
    name: Type.String({ maxLength: BLOB_NAME_MAX, description: 'Name of the file' }),
  },
  { additionalProperties: false },
)
const tags = ['files']

interface NameRequest {
  Params: { path: string; name: string }
}

/** `GET /api/pages/PATH/blobs`, `PUT` and `DELETE /api/pages/PATH/blobs/NAME`. */
export function pageBlobRoutes(server: FastifyInstance, context: HttpContext): void {
  listRoute(server, context)
  putRoute(server, context)
  deleteRoute(server, context)
}

function listRoute(server: FastifyInstance, { site }: HttpContext): void {
  server.get<{ Params: { path: string }; Querystring: { at?: string } }>(
    '/api/pages/:path/blobs',
    {
      config: { access: 'view', asOf: true },
      schema: {
        tags,
        summary: 'The files of a page, now or as they were',
        params: PATH_PARAMS,
        querystring: query({ at: AT }),
        response: answers({ 200: listOf(body(BLOB)) }),
      },
    },
    async (request, reply) => {
      const path = parsePath(request.params.path)
      const answer = await readBlobs(site, readerOf(request), path, request.at)
      if (answer.type === 'moved') {
        const search = /\?.*$/s.exec(request.url)?.[0] ?? ''
        reply.code(308).header('Location', `/api/pages/${answer.to}/blobs${search}`)
        return sendJson(reply, JSON.stringify({ path, movedTo: answer.to }))
      }
      if (answer.type !== 'blobs') throw notThere(path, answer)
      sayWhen(reply, answer.position, answer.recordedAt)
      const items = answer.blobs.map(blob => shown(path, blob))
      const json = JSON.stringify({ items, next: null })
      return request.at === null
        ? sendJson(reply, json)
        : sendTagged(request, reply, etagOf(json), () => json)
    },
  )
}

function putRoute(server: FastifyInstance, { site }: HttpContext): void {
  const answer = body({ ...BLOB, position: Type.Integer() })
  server.put<NameRequest & { Querystring: { category?: BlobRow['category'] } }>(
    '/api/pages/:path/blobs/:name',
    {
      config: { access: 'post.edit', consumes: FILE_BODIES, streamed: true },
      schema: {
        tags,
        summary: 'Send a file of a page, new or in place of the one of that name',
        consumes: [...FILE_BODIES],
        params: NAME_PARAMS,
        querystring: query({ category: CATEGORY }),
        response: answers({ 200: answer, 201: answer }),
      },
    },
    async (request, reply) => {
      const path = parsePath(request.params.path)
      const name = request.params.name.normalize('NFC')
      const { category = 'public' } = request.query
      const author = await authorOf(site, request)
      const stores = server.blobStores()
      const file = { path, name, category, bytes: bytesOf(request) }
      const written = await uploadBlob(site, author, stores, file).catch(thrown => {
        reply.header('Connection', 'close') // the rest of the body is not waited for
        throw thrown
      })
      const position = await positionOf(site, written)
      const { blob, replaced } = written
      reply.header('ETag', `"${blob.sha256}"`).header('RM3-Position', position)
      const made = { ...shown(path, { name, ...blob, category }), position }
      return sendJson(reply.code(replaced ? 200 : 201), JSON.stringify(made))
    },
  )
}

function deleteRoute(server: FastifyInstance, { site }: HttpContext): void {
  server.delete<NameRequest>(
    '/api/pages/:path/blobs/:name',
    {
      config: { access: 'post.edit', consumes: [] },
      schema: {
        tags,
        summary: 'Take a file from a page; the past keeps it',
        params: NAME_PARAMS,
        querystring: NO_QUERY,
        response: answers({ 204: EMPTY }),
      },
    },
    async (request, reply) => {
      const path = parsePath(request.params.path)
      const name = request.params.name.normalize('NFC')
      const author = await authorOf(site, request)
      const written = await change(site, author, it => detachBlob(it, path, name))
      reply.header('RM3-Position', await positionOf(site, written))
      return reply.code(204).send()
    },
  )
}

function shown(path: string, blob: BlobRow): BlobRow & { url: string | null } {
  const { name, sha256, sizeBytes, mediaType, category } = blob
  const url = isUnder(path, 'wh') ? toFileUrl(path, name) : null
  return { name, sha256, sizeBytes, mediaType, category, url }
}

/** The bytes of a body, of which there may be none. @throws BODY_TOO_LARGE when it says so beforehand, REQUEST_INVALID when it breaks off */
async function* bytesOf({ headers, body }: FastifyRequest): AsyncIterable<Uint8Array> {
  if (Number(headers['content-length'] ?? 0) > BLOB_MAX_BYTES) {
    throw new Rm3Error('BODY_TOO_LARGE', `a file has at most ${BLOB_MAX_BYTES} bytes`, {
      sizeBytesMax: BLOB_MAX_BYTES,
    })
  }
  try {
    if (body) yield* body as AsyncIterable<Uint8Array>
  } catch (cause) {
    throw new Rm3Error('REQUEST_INVALID', 'the file broke off on its way', { cause })
  }
}
