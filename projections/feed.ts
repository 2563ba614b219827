import { type Db, defineProjection, put } from 'rm3'

/** When each live page went live first: what a site's feed of new pages is ordered by. A page that comes back keeps its place. */
export default defineProjection({
  name: 'feed',
  version: 1,
  mode: 'async',
  tables: { feed: { column: 'entity_id' } },
  sql: `
    create table {feed} (
      entity_id uuid        not null primary key,
      position  bigint      not null,
      published timestamptz not null
    );
    create index {feed}_position on {feed} (position);
  `,
  step: ({ before, event, after }) => {
    if (after.kind !== 'entity' || after.live === null) return []
    if (before?.kind === 'entity' && before.live !== null) return []
    return [put('feed', { entity_id: after.id, position: event.position, published: event.at })]
  },
})

/** A page of the feed, with its summary as JSON text. */
export interface NewPage {
  readonly entityId: string
  readonly path: string
  readonly title: string
  readonly summary: string
  readonly author: string
  readonly published: string
  readonly modified: string
}

const NEWEST = `select f.entity_id as "entityId", p.path, p.title, p.summary::text as summary, p.author, f.published, p.modified
  from feed f join pages p on p.entity_id = f.entity_id
  where not p.hidden and p.path ~ $1::text and p.proto = any($2::text[])
  order by f.position desc limit $3::int`

/** Live pages, those that went live last first. @param viewed regular expression of the paths that count */
export async function listNewPages(
  db: Db,
  viewed: string,
  protos: readonly string[],
  limit: number,
): Promise<NewPage[]> {
  return db.rows<NewPage>(NEWEST, [viewed, protos, limit])
}

const PUBLISHED = `select entity_id as "entityId", published from feed where entity_id = any($1::uuid[])`

/** When pages went live first; those that never did are not in it. */
export async function listPublished(
  db: Db,
  entityIds: readonly string[],
): Promise<Map<string, string>> {
  const rows = await db.rows<{ entityId: string; published: string }>(PUBLISHED, [entityIds])
  return new Map(rows.map(({ entityId, published }) => [entityId, published]))
}
