import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { demandMoment } from '../../queries/at.ts'
import { readNewPages } from '../../queries/new-pages.ts'
import { viewerOf } from '../../queries/reader.ts'
import { atomOf } from '../../scheme/atom.ts'
import { urlOfPath, withQuery } from '../../scheme/site-urls.ts'
import { readerOf } from '../plugins/speaker.ts'
import { isListed, sayMoment } from '../reply.ts'
import { AT, query } from '../schemas.ts'
import { feedTitle } from './feed-title.ts'
import { atQuery, type Pages } from './scene.ts'

const URL_OF_FEED = '/feed.atom'
export const ATOM_TYPE = 'application/atom+xml; charset=utf-8'

/** `GET /feed.atom`: the site's new pages, or what they were as of `at`. */
export function atomFeed(server: FastifyInstance, { site, names, scheme }: Pages): void {
  server.get(
    URL_OF_FEED,
    {
      config: { access: 'view', asOf: true },
      schema: { hide: true, querystring: query({ at: AT }) },
    },
    async (request, reply) => {
      const known = await names.read(site.db)
      const when = demandMoment(request.at)
      const viewer = await viewerOf(site, readerOf(request))
      const pages = await readNewPages(site, viewer, when)
      const linkQuery = when === null ? '' : atQuery(when)
      if (when !== null) sayMoment(reply, when)
      const text = atomOf({
        title: await feedTitle(site, viewer, { names: known, when }),
        origin: known.origin ?? '',
        url: withQuery(URL_OF_FEED, linkQuery),
        entries: pages.map(({ entityId, path, authorName, summary, ...page }) => ({
          ...{ ...page, id: `urn:uuid:${entityId}`, author: authorName },
          url: withQuery(urlOfPath(path), linkQuery),
          abstract: scheme.texts.short(abstractIn(summary), linkQuery),
        })),
      })
      const etag = createHash('sha256').update(text).digest('base64url').slice(0, 22)
      reply.header('ETag', `"${etag}"`)
      const listed = request.headers['if-none-match']
      if (listed !== undefined && isListed(listed, etag)) return reply.code(304).send()
      return reply.header('Content-Type', ATOM_TYPE).send(text)
    },
  )
}

function abstractIn(summary: string): string {
  const { abstract } = JSON.parse(summary) as { abstract?: unknown }
  return typeof abstract === 'string' ? abstract : ''
}
