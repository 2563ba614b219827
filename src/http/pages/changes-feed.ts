import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { isUnder } from '../../content/path.ts'
import { readChanges, type Save } from '../../queries/changes.ts'
import { viewerOf } from '../../queries/reader.ts'
import { type AtomEntry, atomOf } from '../../scheme/atom.ts'
import { escapeHtml } from '../../scheme/html.ts'
import { deedOf } from '../../scheme/revisions.ts'
import { urlOfPath } from '../../scheme/site-urls.ts'
import { counted } from '../../scheme/words.ts'
import { readerOf } from '../plugins/speaker.ts'
import { isListed } from '../reply.ts'
import { CHANGES_QUERY, type ChangesQuery, changesAsked } from '../routes/changes.ts'
import { query } from '../schemas.ts'
import { actorPerson, ROOT } from './around.ts'
import { ATOM_TYPE } from './atom-feed.ts'
import { feedTitle } from './feed-title.ts'
import type { Pages } from './scene.ts'

export const URL_OF_CHANGES_FEED = '/changes.atom'
const ENTRIES_MAX = 50

/** `GET /changes.atom`: what changed on the site, save by save, as far as who asks may hear of it. */
export function changesFeed(server: FastifyInstance, { site, names }: Pages): void {
  server.get<{ Querystring: ChangesQuery }>(
    URL_OF_CHANGES_FEED,
    {
      config: { access: 'history' },
      schema: { hide: true, querystring: query(CHANGES_QUERY) },
    },
    async (request, reply) => {
      const known = await names.read(site.db)
      const viewer = await viewerOf(site, readerOf(request))
      const asked = await changesAsked(site.db, request.query)
      const { items } = await readChanges(site, viewer, asked, { limit: ENTRIES_MAX, after: null })
      const text = atomOf({
        title: `Changes of ${await feedTitle(site, viewer, { names: known, when: null })}`,
        origin: known.origin ?? '',
        url: request.url,
        entries: items.map(entryOf),
      })
      const etag = createHash('sha256').update(text).digest('base64url').slice(0, 22)
      reply.header('ETag', `"${etag}"`)
      const listed = request.headers['if-none-match']
      if (listed !== undefined && isListed(listed, etag)) return reply.code(304).send()
      return reply.header('Content-Type', ATOM_TYPE).send(text)
    },
  )
}

function entryOf({ save, at, actor, actorName, note, changes }: Save): AtomEntry {
  const [first] = changes
  const words = [...new Set(changes.map(({ type }) => deedOf(type)))].join(', ')
  const name = first?.title || first?.path || 'The site'
  const more = changes.length > 1 ? ` and ${counted(changes.length - 1, 'more change')}` : ''
  const now = first?.now ?? null
  return {
    id: `tag:rm3,save:${save}`,
    title: `${name}${more}: ${words}`,
    abstract: escapeHtml(note ?? ''),
    url: now !== null && isUnder(now, ROOT) ? `${urlOfPath(now)}history.html` : '/',
    published: at,
    modified: at,
    author: actorPerson(actor, actorName, null).name,
  }
}
