import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type FileTarget, fromFileUrl, toFileUrl } from '../../content/file-url.ts'
import { fromUrl, isUnder, toUrl, type UrlTarget } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import { blobNamed, readBlobs } from '../../queries/blobs.ts'
import { readPage } from '../../queries/read-page.ts'
import { mayReadPast } from '../../queries/reader.ts'
import type { HttpContext } from '../context.ts'
import {
  fileUrls,
  linkOriginal,
  negotiated,
  negotiatedFile,
  pageUrls,
  sendToMemento,
} from '../memento.ts'
import { prefersJson } from '../plugins/errors.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sayWhen, sendElsewhere } from '../reply.ts'
import { sendBlob } from '../send-blob.ts'
import { sendTimemap, type TimemapFormat } from '../timemap.ts'
import { notThere, sendPage } from './page-reads.ts'

/** Answers the URL of a page, or of a view of it (`history.html`), as HTML. */
export type PageHtml = (
  request: FastifyRequest,
  reply: FastifyReply,
  target: UrlTarget,
) => Promise<FastifyReply>

declare module 'fastify' {
  interface FastifyInstance {
    /** Set by who renders HTML. While it is null, page URLs answer with JSON only. */
    pageHtml: { render: PageHtml | null }
  }
}

/** Views of a page that say when it was another. */
const TIMEMAPS: Readonly<Record<string, TimemapFormat>> = {
  'timemap.link': 'link',
  'timemap.json': 'json',
}
/** The root of what has URLs. */
const ROOT = 'wh'
/** Below these addresses there are no pages. */
const OURS = /^\/(?:api|health)\/./

/** `GET /` and every page's URL: the record as JSON where it is asked for, else HTML. */
export function pageUrlRoutes(server: FastifyInstance, context: HttpContext): void {
  const { pageHtml } = server
  server.get<{ Querystring: Record<string, unknown> }>(
    '/*',
    { config: { access: 'view', asOf: true }, schema: { hide: true } },
    async (request, reply) => {
      const [pathname = '', search] = splitUrl(request.url)
      const file = OURS.test(pathname) ? null : fromFileUrl(pathname, ROOT)
      if (file?.redirect) return reply.redirect(`${file.redirect}${search}`, 308)
      if (file !== null) return sendFile(context, request, reply, file)
      const target = OURS.test(pathname) ? null : fromUrl(pathname, ROOT)
      if (target === null) throw nothingHere()
      if (target.redirect !== null) return reply.redirect(`${target.redirect}${search}`, 308)
      const timemap = target.rest.length === 0 ? TIMEMAPS[target.page ?? ''] : undefined
      if (timemap !== undefined)
        return sendTimemap(context.site, request, reply, {
          ...target,
          format: timemap,
          urls: pageUrls(target.path),
        })
      const { render } = pageHtml
      if (render !== null && !prefersJson(request.headers.accept)) {
        return render(request, reply, target)
      }
      if (target.page !== null || target.rest.length > 0) throw nothingHere()
      return sendRecord(context, request, reply, target.path)
    },
  )
}

async function sendRecord(
  { site }: HttpContext,
  request: FastifyRequest<{ Querystring: Record<string, unknown> }>,
  reply: FastifyReply,
  path: string,
): Promise<FastifyReply> {
  const urls = pageUrls(path)
  const wanted = await negotiated(site, request, path)
  if (wanted !== null) return sendToMemento(reply, urls, wanted)
  const answer = await readPage(site, readerOf(request), path, request.at)
  if (answer.type === 'moved' && isUnder(answer.to, ROOT)) {
    const [, search] = splitUrl(request.url)
    return reply.redirect(`${toUrl(answer.to, ROOT)}${search}`, 308)
  }
  if (answer.type === 'redirected') return sendElsewhere(reply, answer.url)
  return sendPage(request, reply, { path, answer, urls })
}

async function sendFile(
  { site }: HttpContext,
  request: FastifyRequest<{ Querystring: Record<string, unknown> }>,
  reply: FastifyReply,
  { path, name }: FileTarget,
): Promise<FastifyReply> {
  const urls = fileUrls(toFileUrl(path, name, ROOT))
  const wanted = await negotiatedFile(site, request, { path, name })
  if (wanted !== null) return sendToMemento(reply, urls, wanted)
  const answer = await readBlobs(site, readerOf(request), path, request.at)
  if (answer.type === 'blobs') {
    const blob = blobNamed(answer.blobs, path, name)
    if (request.at !== null) sayWhen(reply, answer.position, answer.recordedAt)
    if (mayReadPast(answer.viewer, [path])) linkOriginal(reply, urls)
    return sendBlob(request, reply, blob)
  }
  if (answer.type !== 'moved' || !isUnder(answer.to, ROOT)) throw notThere(path, answer)
  const [, search] = splitUrl(request.url)
  return reply.redirect(`${toFileUrl(answer.to, name, ROOT)}${search}`, 308)
}

/** The path part of a URL as it was sent, and the query with its `?`, or ''. */
function splitUrl(url: string): [string, string] {
  const mark = url.indexOf('?')
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark)]
}

function nothingHere(): Rm3Error {
  return new Rm3Error('ROUTE_NOT_FOUND', 'there is nothing at this address')
}
