import type { FastifyReply, FastifyRequest } from 'fastify'
import { absent, denied, type Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { Rm3Error } from '../errors.ts'
import { makeCursor, readCursor } from '../queries/cursor.ts'
import {
  findFirstMemento,
  findLastMemento,
  listMementos,
  MEMENTOS_DEFAULT,
  MEMENTOS_MAX,
  type Memento,
} from '../queries/mementos.ts'
import { viewerOf } from '../queries/reader.ts'
import { type MementoUrls, mementoUrl } from './memento.ts'
import { readerOf } from './plugins/speaker.ts'
import { etagOf, JSON_TYPE } from './reply.ts'

export type TimemapFormat = 'link' | 'json'

const LINK_TYPE = 'application/link-format; charset=utf-8'

/** What a timemap says. */
interface Timemap {
  readonly urls: MementoUrls
  /** The address of this part of it, and of the next; null at the end. */
  readonly self: string
  readonly next: string | null
  readonly cursor: string | null
  readonly first: Memento
  readonly last: Memento
  /** Oldest first. */
  readonly mementos: readonly Memento[]
}

/**
 * Sends a part of the list of times at which a path showed something else (RFC 7089, 5), in link-format (RFC 6690) or JSON.
 *
 * @throws PAGE_NOT_FOUND when there never was anything that may be read, LOGIN_REQUIRED, PERMISSION_DENIED, CURSOR_INVALID, REQUEST_INVALID
 */
export async function sendTimemap(
  site: Site,
  request: FastifyRequest,
  reply: FastifyReply,
  about: { path: string; urls: MementoUrls; format: TimemapFormat },
): Promise<FastifyReply> {
  const { path, urls, format } = about
  const viewer = await viewerOf(site, readerOf(request))
  if (!viewer.may('view', path)) throw absent(path)
  if (!viewer.may('history', path)) throw denied(viewer, 'history', path)
  const timemap = await readTimemap(site, viewer, path, { request, urls })
  const text = format === 'link' ? linkText(timemap) : jsonText(timemap)
  reply.header('ETag', `"${etagOf(text)}"`)
  return reply.header('Content-Type', format === 'link' ? LINK_TYPE : JSON_TYPE).send(text)
}

async function readTimemap(
  site: Site,
  viewer: Viewer,
  path: string,
  { request, urls }: { request: FastifyRequest; urls: MementoUrls },
): Promise<Timemap> {
  const { after = null, limit = MEMENTOS_DEFAULT } = askedOf(request)
  const listing = { timemap: path }
  const from = after === null ? -1 : Number(readCursor(listing, after, ['number'])[0])
  const [first, last, found] = await Promise.all([
    findFirstMemento(site, viewer, path),
    findLastMemento(site, viewer, path, Number.MAX_SAFE_INTEGER),
    listMementos(site, viewer, path, { after: from, limit: limit + 1 }),
  ])
  if (first === null || last === null) throw absent(path)
  const mementos = found.slice(0, limit)
  const end = found.length > limit ? (mementos.at(-1)?.position ?? null) : null
  const cursor = end === null ? null : makeCursor(listing, [end])
  const [pathname = ''] = request.url.split('?')
  const { format } = (request.query ?? {}) as { format?: string }
  const form = format === undefined ? '' : `format=${format}&`
  const next = cursor && `${pathname}?${form}limit=${limit}&after=${cursor}`
  return { urls, self: request.url, next, cursor, first, last, mementos }
}

const LIMIT = /^[1-9]\d{0,3}$/

/** `after` and `limit`, also where no schema has read them. @throws REQUEST_INVALID */
function askedOf({ query }: FastifyRequest): { after?: string; limit?: number } {
  const { after, limit } = (query ?? {}) as { after?: unknown; limit?: unknown }
  const count =
    limit === undefined ? MEMENTOS_DEFAULT : LIMIT.test(String(limit)) ? Number(limit) : 0
  if (count < 1 || count > MEMENTOS_MAX) {
    throw new Rm3Error('REQUEST_INVALID', `limit: 1 to ${MEMENTOS_MAX}`, { parameter: 'limit' })
  }
  if (after !== undefined && typeof after !== 'string') {
    throw new Rm3Error('REQUEST_INVALID', 'after is given more than once', { parameter: 'after' })
  }
  return { limit: count, ...(after !== undefined && { after }) }
}

function linkText({ urls, self, next, first, last, mementos }: Timemap): string {
  const [oldest, newest] = [mementos.at(0), mementos.at(-1)]
  const range = oldest && newest ? `; from="${dateOf(oldest)}"; until="${dateOf(newest)}"` : ''
  const lines = [
    `<${urls.original}>; rel="original timegate latest-version"`,
    `<${self}>; rel="self"; type="application/link-format"${range}`,
    ...(next === null ? [] : [`<${next}>; rel="timemap"; type="application/link-format"`]),
    ...mementos.map(memento => {
      const isFirst = memento.position === first.position
      const isLast = memento.position === last.position
      const rel = `${isFirst ? 'first ' : ''}${isLast ? 'last ' : ''}memento`
      return `<${mementoUrl(urls, memento.position)}>; rel="${rel}"; datetime="${dateOf(memento)}"`
    }),
  ]
  return `${lines.join(',\n')}\n`
}

function jsonText({ urls, self, next, cursor, first, last, mementos }: Timemap): string {
  const shown = (memento: Memento) => ({
    uri: mementoUrl(urls, memento.position),
    datetime: memento.recordedAt,
    position: memento.position,
  })
  return JSON.stringify({
    original_uri: urls.original,
    timegate_uri: urls.original,
    self,
    mementos: { first: shown(first), last: shown(last), list: mementos.map(shown) },
    next_uri: next,
    next: cursor,
  })
}

function dateOf({ recordedAt }: Memento): string {
  return new Date(recordedAt).toUTCString()
}
