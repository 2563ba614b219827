import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { readNewPages } from '../../queries/new-pages.ts'
import { atomOf } from '../../scheme/atom.ts'
import { urlOfPath } from '../../scheme/site-urls.ts'
import { readerOf } from '../plugins/speaker.ts'
import { isListed } from '../reply.ts'
import { NO_QUERY } from '../schemas.ts'
import type { Pages } from './scene.ts'

const URL_OF_FEED = '/feed.atom'
export const ATOM_TYPE = 'application/atom+xml; charset=utf-8'

/** `GET /feed.atom`: the site's new pages. */
export function atomFeed(server: FastifyInstance, { site, names, scheme }: Pages): void {
  server.get(
    URL_OF_FEED,
    {
      config: { access: 'view' },
      schema: { hide: true, querystring: NO_QUERY },
    },
    async (request, reply) => {
      const { title, origin } = await names.read(site.db)
      const pages = await readNewPages(site, readerOf(request))
      const text = atomOf({
        title: title ?? request.hostname,
        origin: origin ?? '',
        url: URL_OF_FEED,
        entries: pages.map(({ entityId, path, authorName, summary, ...page }) => ({
          ...{ ...page, id: `urn:uuid:${entityId}`, url: urlOfPath(path), author: authorName },
          abstract: scheme.texts.short(abstractIn(summary), ''),
        })),
      })
      const etag = createHash('sha256').update(text).digest('base64url').slice(0, 22)
      reply.header('ETag', `"${etag}"`)
      const known = request.headers['if-none-match']
      if (known !== undefined && isListed(known, etag)) return reply.code(304).send()
      return reply.header('Content-Type', ATOM_TYPE).send(text)
    },
  )
}

function abstractIn(summary: string): string {
  const { abstract } = JSON.parse(summary) as { abstract?: unknown }
  return typeof abstract === 'string' ? abstract : ''
}
