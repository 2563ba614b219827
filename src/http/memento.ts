import type { FastifyReply, FastifyRequest } from 'fastify'
import { findFirstWithFile } from '../../projections/blobs.ts'
import { absent, denied } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { isUnder, toUrl } from '../content/path.ts'
import { Rm3Error } from '../errors.ts'
import { resolveAt } from '../queries/at.ts'
import { findFirstMemento, type Memento, type Mementos } from '../queries/mementos.ts'
import type { PageAnswer } from '../queries/page-answer.ts'
import { mayReadPast, viewerOf } from '../queries/reader.ts'
import { readerOf } from './plugins/speaker.ts'

/** Where a page is to be had, now, then, and when it was another. Each is its own timegate (RFC 7089, pattern 1.1). */
export interface MementoUrls {
  readonly original: string
  /** In link-format; null where there is none. */
  readonly timemap: string | null
}

/** Of the page's own URL; of the record in the API where it has none. */
export function pageUrls(path: string): MementoUrls {
  const original = isUnder(path, ROOT) ? toUrl(path) : null
  return original === null ? recordUrls(path) : { original, timemap: `${original}timemap.link` }
}

/** Of the record in the API. */
export function recordUrls(path: string): MementoUrls {
  const original = `/api/pages/${path}`
  return { original, timemap: `${original}/timemap` }
}

const ROOT = 'wh'
const LINK_FORMAT = 'application/link-format'
const VARY = 'Accept, Accept-Datetime, Authorization, Cookie'

/** Of a file, which has no list of its times. @param url its address */
export function fileUrls(url: string): MementoUrls {
  return { original: url, timemap: null }
}

/** The address of what was there at a position. */
export function mementoUrl({ original }: MementoUrls, position: number): string {
  return `${original}?at=position:${position}`
}

/** Says with a page where its other times are, as far as its past may be read. */
export function linkTimes(
  reply: FastifyReply,
  urls: MementoUrls,
  path: string,
  { viewer, mementos }: PageAnswer & { type: 'page' },
): void {
  if (mementos !== undefined) linkMemento(reply, urls, mementos)
  else if (mayReadPast(viewer, [path])) linkOriginal(reply, urls)
}

/** Says of the present answer where its past is. Only for who may read that. */
export function linkOriginal(reply: FastifyReply, { original, timemap }: MementoUrls): void {
  reply.header('Vary', VARY)
  const links = [`<${original}>; rel="original timegate latest-version"`]
  if (timemap !== null) {
    links.push(`<${timemap}>; rel="timemap version-history"; type="${LINK_FORMAT}"`)
  }
  reply.header('Link', links.join(', '))
}

/** Says of a past answer where the present is, and the other times at which the page was another (RFC 7089, RFC 5829). */
function linkMemento(
  reply: FastifyReply,
  urls: MementoUrls,
  { first, previous, next, last }: Mementos,
): void {
  linkOriginal(reply, urls)
  const links = [
    linkTo(urls, first, 'first memento'),
    linkTo(urls, previous, 'prev memento predecessor-version'),
    linkTo(urls, next, 'next memento successor-version'),
    linkTo(urls, last, 'last memento'),
  ]
  reply.header('Link', [String(reply.getHeader('link')), ...links.flat()].join(', '))
}

function linkTo(urls: MementoUrls, memento: Memento | null, rel: string): string[] {
  if (memento === null) return []
  const { position, recordedAt } = memento
  const datetime = new Date(recordedAt).toUTCString()
  return [`<${mementoUrl(urls, position)}>; rel="${rel}"; datetime="${datetime}"`]
}

const HTTP_DATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * The position that `Accept-Datetime` asks for: the last one recorded by then, the first at which there was a page when that is later, and
 * the newest for what lies ahead. null without the header, and where `at` says the time.
 *
 * @throws REQUEST_INVALID for a time that is none; PAGE_NOT_FOUND, LOGIN_REQUIRED, PERMISSION_DENIED as for the past of the page
 */
export async function negotiated(
  site: Site,
  request: FastifyRequest,
  path: string,
): Promise<number | null> {
  const header = request.headers['accept-datetime']
  if (header === undefined || request.at !== null || request.asked !== null) return null
  const instant = typeof header === 'string' && HTTP_DATE.test(header) ? Date.parse(header) : NaN
  if (Number.isNaN(instant)) {
    const message = 'Accept-Datetime is not a time such as Tue, 20 Mar 2024 20:35:00 GMT'
    throw new Rm3Error('REQUEST_INVALID', message, { header: 'Accept-Datetime' })
  }
  const viewer = await viewerOf(site, readerOf(request))
  if (!viewer.may('view', path)) throw absent(path)
  if (!viewer.may('history', path)) throw denied(viewer, 'history', path)
  const first = await findFirstMemento(site, viewer, path)
  if (first === null) throw absent(path)
  const at = await resolveAt(site.db, new Date(instant).toISOString())
  const position = 'ahead' in at ? at.head : 'position' in at ? at.position : 0
  return Math.max(position, first.position)
}

/** As `negotiated`, of a file of the page: the first position from then on at which the page had it, where it had not yet. */
export async function negotiatedFile(
  site: Site,
  request: FastifyRequest,
  file: { path: string; name: string },
): Promise<number | null> {
  const from = await negotiated(site, request, file.path)
  return from === null ? null : ((await findFirstWithFile(site.db, { ...file, from })) ?? from)
}

/** Sends a reader to the memento of a position. */
export function sendToMemento(
  reply: FastifyReply,
  urls: MementoUrls,
  position: number,
): FastifyReply {
  linkOriginal(reply, urls)
  return reply.redirect(mementoUrl(urls, position), 302)
}
