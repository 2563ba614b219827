import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { parsePath } from '../../content/path.ts'
import { Rm3Error } from '../../errors.ts'
import { demandMoment } from '../../queries/at.ts'
import { listPages, PAGES_DEFAULT, PAGES_MAX } from '../../queries/list-pages.ts'
import { CHILDREN, DEPTH_ALL, type Listing, SORTS, type Sort } from '../../queries/listing.ts'
import { ENTRY_FIELDS, recordText } from '../../queries/record.ts'
import type { HttpContext } from '../context.ts'
import { readerOf } from '../plugins/speaker.ts'
import { sendTimed } from '../reply.ts'
import { AFTER, AT, answers, listOf, query, RECORD, whole } from '../schemas.ts'

interface ListRequest {
  Querystring: {
    parent?: string
    depth?: number
    proto?: string
    tag?: string
    sort?: string
    hidden?: boolean
    limit?: number
    after?: string
    at?: string
  }
}

const TEXT = Type.String({ maxLength: 2_000 })
const LIST_QUERY = query({
  parent: Type.String({ maxLength: 2_000, description: 'Only pages below this path' }),
  depth: whole(
    1,
    DEPTH_ALL,
    'Levels below `parent`; without `parent` below nothing: all of the site',
  ),
  proto: TEXT,
  tag: Type.String({ maxLength: 2_000, description: 'OBJECT, or PREDICATE/OBJECT' }),
  sort: Type.Enum(SORTS.flatMap(sort => [sort, `-${sort}`])),
  hidden: Type.Boolean({ description: 'With hidden pages that one may edit' }),
  limit: whole(1, PAGES_MAX),
  after: AFTER,
  at: AT,
})

/** `GET /api/pages`. */
export function pageListRoutes(server: FastifyInstance, context: HttpContext): void {
  const { site } = context
  server.get<ListRequest>(
    '/api/pages',
    {
      config: { access: 'view', asOf: true },
      schema: {
        tags: ['pages'],
        summary: 'Pages, sorted, a part at a time; without their data',
        querystring: LIST_QUERY,
        response: answers({ 200: listOf(Type.Omit(RECORD, ['data'])) }),
      },
    },
    async (request, reply) => {
      const { limit = PAGES_DEFAULT, after = null } = request.query
      const listing = listingOf(request.query)
      const when = demandMoment(request.at)
      const part = { limit, after, when }
      const { items, next } = await listPages(site, readerOf(request), listing, part)
      const entries = items.map(item => recordText(item, ENTRY_FIELDS))
      const json = `{"items":[${entries.join(',')}],"next":${JSON.stringify(next)}}`
      return sendTimed(request, reply, when, json)
    },
  )
}

function listingOf(asked: ListRequest['Querystring']): Listing {
  const { parent, depth, proto = null, tag, sort = 'path', hidden = false } = asked
  return {
    ...CHILDREN,
    parent: parent === undefined ? null : parsePath(parent),
    depth: depth ?? (parent === undefined ? DEPTH_ALL : 1),
    proto,
    tag: tag === undefined ? null : tagOf(tag),
    sort: sort.replace('-', '') as Sort,
    descending: sort.startsWith('-'),
    hidden,
  }
}

function tagOf(text: string): Listing['tag'] {
  const slash = text.indexOf('/')
  const predicate = slash < 0 ? null : text.slice(0, slash)
  const object = text.slice(slash + 1)
  if (object !== '' && predicate !== '') return { predicate, object }
  throw new Rm3Error('REQUEST_INVALID', 'tag is OBJECT or PREDICATE/OBJECT', { parameter: 'tag' })
}
