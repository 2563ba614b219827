import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BlobRow } from '../../projections/blobs.ts'
import { UNKNOWN_MEDIA_TYPE } from '../blobs/media-type.ts'
import { type ByteRange, openBlob } from '../blobs/store.ts'
import { Rm3Error } from '../errors.ts'
import { isListed } from './reply.ts'

/** A file is shown in nobody's name: no scripts, no requests, and an origin of its own. */
const POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"

/** What browsers show or play by themselves without running anything in it. */
const INLINE: ReadonlySet<string> = new Set([
  ...['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif'],
  ...['audio/mpeg', 'audio/ogg', 'audio/wav', 'audio/mp4'],
  ...['video/mp4', 'video/ogg', 'video/webm'],
])
/** An `<img>` takes it, where it cannot run its scripts; alone, and so as a document, it is only downloaded. A PDF can run scripts too. */
const DOWNLOADED: ReadonlySet<string> = new Set(['image/svg+xml', 'application/pdf'])

/**
 * Answers with a file, a range of it, or 304. Only for what the caller may have: nothing is checked here.
 *
 * @throws RANGE_INVALID, BLOB_MISSING
 */
export async function sendBlob(
  request: FastifyRequest,
  reply: FastifyReply,
  blob: BlobRow,
): Promise<FastifyReply> {
  const { sha256, mediaType, category } = blob
  const known = request.headers['if-none-match']
  if (known !== undefined && isListed(known, sha256)) {
    return reply.code(304).header('ETag', `"${sha256}"`).send()
  }
  const isHead = request.method === 'HEAD'
  const range = isHead ? null : rangeOf(request, blob)
  const store = request.server.blobStores()[category]
  const { stream, sizeBytes } = await openBlob(store, sha256, range ?? undefined)
  const inline = INLINE.has(mediaType)
  const { from, until } = range ?? { from: 0, until: sizeBytes }
  reply.headers({
    ETag: `"${sha256}"`,
    'Accept-Ranges': 'bytes',
    'Content-Type': inline || DOWNLOADED.has(mediaType) ? mediaType : UNKNOWN_MEDIA_TYPE,
    'Content-Length': until - from,
    'Content-Disposition': `${inline ? 'inline' : 'attachment'}; ${fileNameOf(blob.name)}`,
    'Content-Security-Policy': POLICY,
  })
  if (range !== null) {
    reply.code(206).header('Content-Range', `bytes ${from}-${until - 1}/${blob.sizeBytes}`)
  }
  if (!isHead) return reply.send(stream)
  stream.destroy()
  return reply.send(Readable.from([]))
}

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/

/**
 * The one range that is asked for; null: the whole, also for several ranges, units that are not bytes, and an `If-Range` that is not
 * this file (RFC 9110, 14.2 and 13.1.5).
 *
 * @throws RANGE_INVALID
 */
function rangeOf({ headers }: FastifyRequest, { sha256, sizeBytes }: BlobRow): ByteRange | null {
  const [whole, first = '', last = ''] = RANGE.exec(headers.range ?? '') ?? []
  if (whole === undefined || first + last === '') return null
  const condition = headers['if-range']
  if (condition !== undefined && condition !== `"${sha256}"`) return null
  if (first !== '' && last !== '' && Number(first) > Number(last)) return null
  const from = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first)
  const until = first === '' || last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1)
  if (from < until) return { from, until }
  throw new Rm3Error('RANGE_INVALID', `the file has ${sizeBytes} bytes`, { sizeBytes })
}

/** The name for `Content-Disposition`: plain for old clients, and as RFC 8187 has it. */
function fileNameOf(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const extended = encodeURIComponent(name).replace(
    /['()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `filename="${plain}"; filename*=UTF-8''${extended}`
}
