import {
  type Db,
  defineProjection,
  drop,
  type Entity,
  find,
  gathered,
  headingOf,
  parentPath,
  partOf,
  put,
  type Row,
  type RowChange,
  type State,
} from 'rm3'

/** The head of every live path, and the entities that never had more than drafts, also when those were deleted. */
export default defineProjection({
  name: 'pages',
  version: 2,
  mode: 'inline',
  tables: {
    pages: { column: 'entity_id' },
    unpublished: { column: 'entity_id' },
  },
  sql: `
    create table {pages} (
      entity_id   uuid        not null primary key,
      path        text        not null collate "C",
      parent      text        collate "C",
      position    bigint      not null,
      revision    int         not null,
      revision_id uuid        not null,
      since_id    uuid        not null,
      number      int         not null,
      proto       text        not null,
      hidden      boolean     not null,
      title       text        not null,
      created     timestamptz not null,
      modified    timestamptz not null,
      touched     timestamptz not null,
      author      text        not null,
      summary     json        not null,
      data        json        not null,
      tags        json        not null,
      constraint {pages}_path unique (path) deferrable -- so that two pages may change places in one statement
    ) with (fillfactor = 75); -- no index holds what changes with every save, so that one need not touch them
    create index {pages}_parent_path on {pages} (parent, path);
    create index {pages}_parent_created on {pages} (parent, created, path);
    create index {pages}_proto on {pages} (proto, path);

    create table {unpublished} (
      entity_id uuid        not null primary key,
      path      text        not null collate "C",
      revision  int         not null,
      proto     text        not null,
      title     text        not null,
      author    text        not null,
      at        timestamptz not null,
      deleted   boolean     not null
    );
    create index {unpublished}_path on {unpublished} (path);
  `,
  step: ({ before, event, after }) => {
    if (after.kind !== 'entity') return []
    return [
      ...livePage(before as Entity | null, after, event.position),
      ...unpublished(before, after),
    ]
  },
})

function livePage(before: Entity | null, after: Entity, position: number): RowChange[] {
  if (after.since === (before?.since ?? 0)) return []
  if (after.state !== 'live' || after.live === null) return [drop('pages', { entity_id: after.id })]
  const { live } = after
  const { proto, hidden, title } = headingOf(live.document)
  const row: Row = {
    entity_id: after.id,
    path: after.path,
    parent: parentPath(after.path),
    position,
    revision: live.revision,
    revision_id: live.revisionId,
    since_id: after.sinceId,
    number: live.number,
    proto,
    hidden,
    title,
    created: after.created,
    modified: live.modified,
    touched: live.touched,
    author: live.author,
    summary: partOf(live.document, 'summary'),
    data: partOf(live.document, 'data'),
    tags: partOf(live.document, 'tags'),
  }
  return [put('pages', row)]
}

function unpublished(before: State | null, after: Entity): RowChange[] {
  if (after.live !== null) {
    const was = before?.kind === 'entity' && before.live === null
    return was ? [drop('unpublished', { entity_id: after.id })] : []
  }
  const { proto, title } = headingOf(after.tip)
  const row: Row = {
    entity_id: after.id,
    path: after.path,
    revision: after.tipRevision,
    proto,
    title,
    author: after.tipAuthor,
    at: after.tipAt,
    deleted: after.state === 'deleted',
  }
  return [put('unpublished', row)]
}

/** A live page. `summary`, `data` and `tags` are JSON text, to be passed on without parsing. */
export interface PageRow {
  readonly entityId: string
  readonly path: string
  readonly position: number
  readonly revision: number
  readonly revisionId: string
  /** Id of the event that last changed what readers see: the ETag. */
  readonly sinceId: string
  readonly number: number
  readonly proto: string
  readonly hidden: boolean
  readonly title: string
  readonly created: string
  readonly modified: string
  readonly touched: string
  readonly author: string
  readonly summary: string
  readonly data: string
  readonly tags: string
}

const PAGE = `p.entity_id as "entityId", p.path, p.position, p.revision, p.revision_id as "revisionId",
  p.since_id as "sinceId", p.number, p.proto, p.hidden, p.title, p.created, p.modified, p.touched, p.author,
  p.summary::text as summary, p.data::text as data, p.tags::text as tags`

/** What every read begins with: how far the log is, and since when rights are as they are. */
export interface SiteHead {
  readonly head: number
  readonly rightsPosition: number
  readonly epoch: string
}

/** A document may have 4 MB: this many of them are held in memory at once. */
const PAGES_AT_ONCE = 16
const PAGES_AND_HEAD = `select h.position as head, h.rights_position as "rightsPosition", h.epoch, ${PAGE}
  from log_head h left join pages p on p.path = any($1::text[])`

/**
 * The live page at a path (null when there is none) together with the head of the site: one statement for all who ask at the same
 * time.
 */
export const findPageAndHead = gathered(PAGES_AT_ONCE, async (db, paths) => {
  const rows = await db.rows<SiteHead & PageRow>(PAGES_AND_HEAD, [paths])
  const [site] = rows
  if (site === undefined) throw new Error('log_head is empty: the schema is damaged')
  return paths.map((path): { site: SiteHead; page: PageRow | null } => {
    return { site, page: rows.find(row => row.path === path) ?? null }
  })
})

const ID_AT_PATH = `select entity_id as id from pages where path = $1::text`

/** The entity live at a path, or null. */
export async function findIdAtPath(db: Db, path: string): Promise<string | null> {
  const row = await find<{ id: string }>(db, ID_AT_PATH, [path])
  return row?.id ?? null
}

const DRAFTS_AT_PATH = `select entity_id as id from unpublished where path = $1::text and not deleted order by at desc, entity_id limit 1`

/** The entity that has only drafts and was meant for a path, the newest when there are several; or null. */
export async function findUnpublishedId(db: Db, path: string): Promise<string | null> {
  const row = await find<{ id: string }>(db, DRAFTS_AT_PATH, [path])
  return row?.id ?? null
}

const DELETED_DRAFT_AT_PATH = `select entity_id as id from unpublished
  where path = $1::text and deleted order by at desc, entity_id limit 1`

/** The entity deleted at a path that was never live, the newest when there are several; or null. */
export async function findDeletedDraftId(db: Db, path: string): Promise<string | null> {
  const row = await find<{ id: string }>(db, DELETED_DRAFT_AT_PATH, [path])
  return row?.id ?? null
}

const PROTO_USED = `select exists (select from pages where proto = $1::text) as used`

/** Whether a live page is of a type. */
export async function isProtoUsed(db: Db, proto: string): Promise<boolean> {
  return (await find<{ used: boolean }>(db, PROTO_USED, [proto]))?.used ?? false
}

const UNDER = `select entity_id as id, path from pages
  where path = $1::text or (path >= $1::text || '.' and path < $1::text || '/')
  order by path limit $2::int`

/** Live pages at a path and below, by path. */
export async function listUnder(
  db: Db,
  path: string,
  limit: number,
): Promise<{ id: string; path: string }[]> {
  return db.rows(UNDER, [path, limit])
}

const DRAFTS_BELOW = `select entity_id as id, path from unpublished
  where path >= $1::text || '.' and path < $1::text || '/' and not deleted
  order by path, entity_id limit $2::int`

/** Entities with only drafts that are meant for paths below one, by path. */
export async function listDraftsBelow(
  db: Db,
  path: string,
  limit: number,
): Promise<{ id: string; path: string }[]> {
  return db.rows(DRAFTS_BELOW, [path, limit])
}
