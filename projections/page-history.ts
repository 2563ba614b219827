import {
  close,
  type Db,
  defineProjection,
  type Entity,
  FOREVER,
  find,
  headingOf,
  put,
  type Row,
  type RowChange,
  type SiteEvent,
} from 'rm3'

/**
 * Every state that readers ever saw of every page, with the positions between which it was true, the paths that entities had
 * before they moved, and the drafts that went live (most never do either, and then there is no row).
 */
export default defineProjection({
  name: 'page-history',
  version: 4,
  mode: 'inline',
  tables: {
    page_history: { column: 'entity_id' },
    former_paths: { column: 'entity_id' },
    published_drafts: { column: 'entity_id' },
  },
  sql: `
    create table {page_history} (
      entity_id      uuid        not null,
      since          int         not null,
      from_position  bigint      not null,
      until_position bigint      not null,
      state          text        not null,
      path           text        not null collate "C",
      revision       int         not null,
      revision_id    uuid        not null,
      number         int         not null,
      proto          text        not null,
      hidden         boolean     not null,
      title          text        not null,
      created        timestamptz not null,
      modified       timestamptz not null,
      touched        timestamptz not null,
      author         text        not null,
      redirect       text,
      primary key (entity_id, since)
    ) with (fillfactor = 90); -- until_position is in no index, so that closing a row need not touch them
    -- Partial, so that no plan for closing a row by its key can take it: that would look at all rows of the entity.
    create index {page_history}_entity on {page_history} (entity_id, from_position) where from_position > 0;
    create index {page_history}_deleted on {page_history} (path, from_position) where state = 'deleted';
    create index {page_history}_path on {page_history} (path, from_position);

    create table {published_drafts} (
      entity_id uuid not null,
      revision  int  not null,
      primary key (entity_id, revision)
    );

    create table {former_paths} (
      entity_id      uuid not null,
      until_revision int  not null,
      path           text not null collate "C",
      primary key (entity_id, until_revision)
    );
  `,
  step: ({ before, event, after }) => {
    if (after.kind !== 'entity') return []
    const was = before?.kind === 'entity' ? before : null
    return [
      ...shownRows(was, after, event.position),
      ...formerPath(was, after),
      ...publishedDraft(event),
    ]
  },
})

function shownRows(before: Entity | null, after: Entity, position: number): RowChange[] {
  const last = before?.since ?? 0
  if (after.since === last) return []
  const row = historyRow(after, position)
  if (last === 0) return [row]
  return [close('page_history', { entity_id: after.id, since: last }, position), row]
}

/** A draft that readers saw in the end. */
function publishedDraft(event: SiteEvent): RowChange[] {
  if (event.type !== 'PagePublished') return []
  return [put('published_drafts', { entity_id: event.stream, revision: event.data.revision })]
}

/** The path an entity had up to the revision before this one. */
function formerPath(before: Entity | null, after: Entity): RowChange[] {
  if (before === null || before.path === after.path) return []
  const row = { entity_id: after.id, until_revision: after.revision, path: before.path }
  return [put('former_paths', row)]
}

function historyRow(entity: Entity, position: number) {
  const { live } = entity
  const { proto, hidden, title } = headingOf(live?.document ?? entity.tip)
  const row: Row = {
    entity_id: entity.id,
    since: entity.since,
    from_position: position,
    until_position: FOREVER,
    state: entity.state === 'live' && live?.erased !== undefined ? 'erased' : entity.state,
    path: entity.path,
    revision: live?.revision ?? entity.tipRevision,
    revision_id: live?.revisionId ?? entity.sinceId,
    number: live?.number ?? entity.tipRevision,
    proto,
    hidden,
    title,
    created: entity.created,
    modified: live?.modified ?? entity.tipAt,
    touched: live?.touched ?? entity.tipAt,
    author: live?.author ?? entity.tipAuthor,
    redirect: entity.redirect,
  }
  return put('page_history', row)
}

/** What became of a path: what was last there, and where that entity is now. */
export interface Stub {
  readonly entityId: string
  /** 'deleted': it was deleted there. 'live': it moved and is now at `path`. 'erased': so it was, and what it said is erased. */
  readonly state: Shown['state']
  readonly path: string
  /** The content revision that was shown last. */
  readonly revision: number
  readonly redirect: string | null
}

const LAST_AT_PATH = `select now.entity_id as "entityId", now.state, now.path, now.revision, now.redirect
  from (select entity_id from page_history where path = $1::text and from_position <= $2::bigint
        order by from_position desc limit 1) was
  join lateral (select * from page_history where entity_id = was.entity_id and from_position > 0 and from_position <= $2::bigint
    order by from_position desc limit 1) now on true`

/** What stands for a path where no page is live, as of a position (`FOREVER - 1` is now); null when nothing was ever there. */
export async function findStub(db: Db, path: string, position = FOREVER - 1): Promise<Stub | null> {
  return find<Stub>(db, LAST_AT_PATH, [path, position])
}

/** What readers saw of an entity at a position. */
export interface Shown {
  readonly entityId: string
  /** 'erased': it was live, and what it said is erased. */
  readonly state: 'live' | 'deleted' | 'erased'
  readonly path: string
  readonly revision: number
  readonly revisionId: string
  readonly number: number
  readonly fromPosition: number
  /** `FOREVER` while readers see it. */
  readonly untilPosition: number
  readonly created: string
  readonly modified: string
  readonly touched: string
  readonly author: string
  readonly redirect: string | null
}

const SHOWN = `entity_id as "entityId", state, path, revision, revision_id as "revisionId", number,
  from_position as "fromPosition", until_position as "untilPosition", created, modified, touched, author, redirect`

/**
 * A query whose one row, a `Shown`, is what was live at a path at a position: only one page is at a time, the last to come there, if it
 * had not gone yet.
 *
 * @param path SQL for the path
 * @param position SQL for the position
 */
export function shownAt(path: string, position: string): string {
  return `select ${SHOWN} from (select * from page_history
    where path = ${path} and from_position <= ${position} and state = 'live'
    order by from_position desc limit 1) was
  where until_position > ${position}`
}

const AT_PATH = shownAt('$1::text', '$2::bigint')

/** The page that was live at a path at a position, or null. */
export async function findShown(db: Db, path: string, position: number): Promise<Shown | null> {
  return find<Shown>(db, AT_PATH, [path, position])
}

const DELETED_AT_PATH = `select entity_id as id from page_history
  where path = $1::text and state = 'deleted' and until_position = ${FOREVER}
  order by from_position desc limit 1`

/** The page deleted at a path, the last of several, also when another one is there now; null when there is none. */
export async function findDeletedId(db: Db, path: string): Promise<string | null> {
  const row = await find<{ id: string }>(db, DELETED_AT_PATH, [path])
  return row?.id ?? null
}

const DELETED_BELOW = `select distinct on (path) entity_id as id, path from page_history
  where path >= $1::text || '.' and path < $1::text || '/' and state = 'deleted' and until_position = ${FOREVER}
    and from_position > $2::bigint
  order by path, from_position desc limit $3::int`

/** The pages deleted below a path, after a position; of several deleted at one path the last; by path. */
export async function listDeletedBelow(
  db: Db,
  { path, after }: { path: string; after: number },
  limit: number,
): Promise<{ id: string; path: string }[]> {
  return db.rows(DELETED_BELOW, [path, after, limit])
}

const OF_ENTITY = `select ${SHOWN} from page_history
  where entity_id = $1::uuid and from_position > 0 and from_position <= $2::bigint
  order by from_position desc limit 1`

/** What readers saw of an entity at a position (`FOREVER - 1` is now), or null before it was ever live. */
export async function findShownEntity(
  db: Db,
  entityId: string,
  position = FOREVER - 1,
): Promise<Shown | null> {
  return find<Shown>(db, OF_ENTITY, [entityId, position])
}

/** A path that an entity had in its revisions before `untilRevision`, from the former path before it on. */
export interface FormerPath {
  readonly entityId: string
  readonly untilRevision: number
  readonly path: string
}

const FORMER = `select entity_id as "entityId", until_revision as "untilRevision", path from former_paths
  where entity_id = any($1::uuid[]) order by entity_id, until_revision`

/** The paths that entities had before they moved, oldest first within each; [] for those that never did. */
export async function listFormerPaths(db: Db, entityIds: readonly string[]): Promise<FormerPath[]> {
  return db.rows<FormerPath>(FORMER, [entityIds])
}

/** The path at a revision, given an entity's former paths, oldest first, and the one it has now or had last. */
export function pathAtRevision(
  former: readonly FormerPath[],
  revision: number,
  now: string,
): string {
  return former.find(({ untilRevision }) => revision < untilRevision)?.path ?? now
}

const PUBLISHED = `select revision from published_drafts where entity_id = $1::uuid`

/** The revisions of an entity that were drafts and went live. */
export async function listPublishedDrafts(db: Db, entityId: string): Promise<number[]> {
  const rows = await db.rows<{ revision: number }>(PUBLISHED, [entityId])
  return rows.map(({ revision }) => revision)
}

const LAST_PATHS = `select e.id as "entityId", coalesce(h.path, u.path) as path
  from unnest($1::uuid[]) as e(id)
  left join lateral (select path from page_history where entity_id = e.id and from_position > 0
    order by from_position desc limit 1) h on true
  left join unpublished u on u.entity_id = e.id`

/** The path that entities have now or had last; those that are not pages are left out. */
export async function listLastPaths(
  db: Db,
  entityIds: readonly string[],
): Promise<{ entityId: string; path: string }[]> {
  const rows = await db.rows<{ entityId: string; path: string | null }>(LAST_PATHS, [entityIds])
  return rows.flatMap(({ entityId, path }) => (path === null ? [] : [{ entityId, path }]))
}
