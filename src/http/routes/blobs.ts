import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { demandMoment, pastPosition } from '../../queries/at.ts'
import { getBlobBySha256 } from '../../queries/blobs.ts'
import type { HttpContext } from '../context.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sayMoment } from '../reply.ts'
import { AT, answers, FILE, query, READ_HEADERS } from '../schemas.ts'
import { sendBlob } from '../send-blob.ts'

const PARAMS = Type.Object(
  { sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) },
  { additionalProperties: false },
)

/** `GET /api/blobs/SHA256`. */
export function blobRoutes(server: FastifyInstance, { site }: HttpContext): void {
  server.get<{ Params: { sha256: string } }>(
    '/api/blobs/:sha256',
    {
      config: { access: 'view', asOf: true },
      schema: {
        tags: ['files'],
        summary: 'A file by its hash, if a page has it that one may view',
        params: PARAMS,
        querystring: query({ at: AT }),
        headers: READ_HEADERS,
        response: answers({ 200: FILE, 206: FILE }),
      },
    },
    async (request, reply) => {
      const when = demandMoment(request.at)
      const { sha256 } = request.params
      const blob = await getBlobBySha256(site, readerOf(request), sha256, pastPosition(when))
      if (when !== null) sayMoment(reply, when)
      return sendBlob(request, reply, blob)
    },
  )
}
