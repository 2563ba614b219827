import {
  type Db,
  defineProjection,
  find,
  put,
  type Row,
  type SiteEvent,
  type State,
  type Step,
} from 'rm3'

/** Who did what when: a row for each event, with the path it was done at and what one must be allowed to hear of it. */
export default defineProjection({
  name: 'activity',
  version: 2,
  mode: 'async',
  tables: { activity: { column: 'stream' } },
  sql: `
    create table {activity} (
      stream   uuid        not null,
      revision int         not null,
      position bigint      not null,
      type     text        not null,
      actor    text        not null,
      path     text        collate "C",
      was      text        collate "C",
      at       timestamptz not null,
      needs    text        check (needs in ('viewdraft', 'user.edit', 'grant')),
      primary key (stream, revision)
    );
    create index {activity}_position on {activity} (position);
    create index {activity}_actor on {activity} (actor, position);
    create index {activity}_path on {activity} (path, position);
    create index {activity}_was on {activity} (was, position) where was is not null;
    -- The rest is most of a log, and found soon by looking at all.
    create index {activity}_type on {activity} (type, position) where type <> 'PageRevised';
  `,
  step: step => {
    const { before, event, after } = step
    const path = pathOf(after)
    const was = pathOf(before)
    const { stream, revision, position, type, actor, at } = event
    const row: Row = {
      stream,
      revision,
      position,
      type,
      actor,
      path,
      was: was === path ? null : was,
      at,
      needs: needsOf(step),
    }
    return [put('activity', row)]
  },
})

function pathOf(state: State | null): string | null {
  return state?.kind === 'entity' ? state.path : null
}

const OF_ACCOUNT: ReadonlySet<SiteEvent['type']> = new Set([
  ...(['RoleAssigned', 'RoleDeassigned', 'CredentialSet', 'CredentialRemoved'] as const),
])

/** What is planned is not seen before it is done. */
const OF_DRAFTS: ReadonlySet<SiteEvent['type']> = new Set([
  ...(['PublishScheduled', 'ScheduleCancelled'] as const),
])

/** The right beside `view` and `history` that hearing of an event takes. */
function needsOf({ event, after }: Step): string | null {
  if (after.kind !== 'entity') return 'grant'
  if (OF_ACCOUNT.has(event.type)) return 'user.edit'
  const isDraft = OF_DRAFTS.has(event.type) || ('draft' in event.data && event.data.draft === true)
  return isDraft || after.live === null ? 'viewdraft' : null
}

/** An event of which someone may hear. */
export interface Deed {
  readonly position: number
  readonly type: string
  readonly entityId: string
  readonly revision: number
  /** Where it was done; null for rights and settings of the site. */
  readonly path: string | null
  /** Where the entity was before, if the event moved it. */
  readonly was: string | null
  /** Where the entity is now, or was last, and its title there. */
  readonly now: string | null
  readonly title: string | null
  /** The place in its save (what was appended at once), from 1. */
  readonly part: number
  readonly actor: string
  readonly door: string | null
  readonly note: string | null
  readonly at: string
}

/** Which deeds, and what the one who asks may: regular expressions of paths, '' fits all. */
export interface DeedFilter {
  readonly actor: string | null
  readonly path: string | null
  /** What was done at this path or below, or led away from there. */
  readonly under: string | null
  readonly type: string | null
  readonly viewed: string
  readonly history: string
  readonly drafts: string
  readonly accounts: string
  /** Whether rights and settings of the site are shown. */
  readonly site: boolean
  /** The entity id of the one who asks, who hears of his own account. */
  readonly userId: string | null
}

/** Only events after `since` and before `before`, of which `looked` are looked at. */
export interface DeedPart {
  readonly since: number
  readonly before: number
  readonly looked: number
  readonly limit: number
}

/** By what is asked for the statements differ, so that each has an index to walk. */
function walkOf({ actor, path, under, type }: DeedFilter, part: Span, add: Add): string {
  const where = [
    `a.position > ${add(part.since)}::bigint and a.position < ${add(part.before)}::bigint`,
  ]
  if (actor !== null) where.push(`a.actor = ${add(actor)}::text`)
  if (path !== null) where.push(`a.path = ${add(path)}::text`)
  if (type !== null) where.push(`a.type = ${add(type)}::text`)
  if (under !== null) {
    const root = `${add(under)}::text`
    where.push(
      part.isSparse
        ? `a.position = any(array(${positionsUnder(root)}))`
        : `(${isUnder('a.path', root)} or a.was is not null and ${isUnder('a.was', root)})`,
    )
  }
  return where.join(' and ')
}

type Span = Pick<DeedPart, 'since' | 'before'> & { readonly isSparse: boolean }

function isUnder(column: string, root: string): string {
  return `(${column} = ${root} or ${column} > ${root} || '.' and ${column} < ${root} || '/')`
}

/** Positions of what was done under a path, at most about so many: by walking two indexes. */
function positionsUnder(root: string): string {
  const some = (column: string, where: string) =>
    `(select position from activity where ${where} order by ${column} limit ${SPARSE_MAX} + 1)`
  return ['path', 'was']
    .flatMap(column => [
      some(column, `${column} = ${root}`),
      some(column, `${column} > ${root} || '.' and ${column} < ${root} || '/'`),
    ])
    .join(' union all ')
}

/** Of a part of the site with fewer events all are looked up; in another one, one soon meets with some. */
const SPARSE_MAX = 20_000

async function isSparse(db: Db, under: string | null): Promise<boolean> {
  if (under === null) return false
  const found = await find<{ count: number }>(
    db,
    `select count(*)::int as count from (${positionsUnder('$1::text')}) u`,
    [under],
  )
  return (found?.count ?? 0) <= SPARSE_MAX
}

type Add = (value: unknown) => string

/** Whether the one who asks may hear of an event: on every path that it is about, and on the one the entity has now. */
function visible(
  { viewed, history, drafts, accounts, site, userId }: DeedFilter,
  add: Add,
): string {
  return `case when a.path is null then ${add(site)}::boolean else
    not exists (select from unnest(array[a.path, a.was, coalesce(h.path, u.path)]) x
      where x is not null and not (x ~ ${add(viewed)}::text and x ~ ${add(history)}::text and case a.needs
        when 'viewdraft' then x ~ ${add(drafts)}::text or exists (
          select from published_drafts d where d.entity_id = a.stream and d.revision = a.revision)
        when 'user.edit' then x ~ ${add(accounts)}::text or a.stream = ${add(userId)}::uuid
        else true end)) end`
}

/**
 * What was done, newest first; of so many events as are looked at.
 *
 * @returns `bound`: the last position that was looked at; null at the beginning of the log
 */
export async function listDeeds(
  db: Db,
  filter: DeedFilter,
  part: DeedPart,
): Promise<{ deeds: Deed[]; bound: number | null }> {
  const span = { ...part, isSparse: await isSparse(db, filter.under) }
  const [last, values]: [unknown[], unknown[]] = [[], []]
  const addLast: Add = value => `$${last.push(value)}`
  const add: Add = value => `$${values.push(value)}`
  const bound = await find<{ position: number }>(
    db,
    `select a.position from activity a where ${walkOf(filter, span, addLast)}
      order by a.position desc offset ${addLast(part.looked)}::int limit 1`,
    last,
  )
  const deeds = await db.rows<Deed>(
    `select a.position, a.type, a.stream as "entityId", a.revision, a.path, a.was, coalesce(h.path, u.path) as now,
        coalesce(h.title, u.title) as title, coalesce((l.meta->>'part')::int, 1) as part, a.actor, l.meta->>'door' as door, l.note, a.at
      from activity a cross join lateral (select meta, note from events where position = a.position limit 1) l
      left join lateral (select path, title from page_history where entity_id = a.stream order by from_position desc limit 1) h on a.path is not null
      left join lateral (select path, title from unpublished where entity_id = a.stream limit 1) u on true
      where ${walkOf(filter, span, add)} and a.position >= ${add(bound?.position ?? 0)}::bigint and ${visible(filter, add)}
      order by a.position desc limit ${add(part.limit)}::int`,
    values,
  )
  return { deeds, bound: bound?.position ?? null }
}

/** How often something was done of which someone may hear, in stretches of the log. */
export interface DeedCount {
  /** From 1: which of the stretches. */
  readonly stretch: number
  readonly count: number
}

/**
 * Counts what someone may hear of in stretches of the log, of each `every`-th position; stretches with nothing are left out.
 *
 * @param edges positions in rising order: a stretch is what is after one and up to the next
 */
export async function listDeedCounts(
  db: Db,
  filter: DeedFilter,
  edges: readonly number[],
  every: number,
): Promise<DeedCount[]> {
  const values: unknown[] = []
  const add: Add = value => `$${values.push(value)}`
  const span = { since: edges[0] ?? 0, before: (edges.at(-1) ?? 0) + 1, isSparse: false }
  const at = [span.since + 1, span.before - 1, every].map(value => `${add(value)}::bigint`)
  return db.rows<DeedCount>(
    `select width_bucket(a.position - 1, ${add(edges)}::bigint[]) as stretch, count(*)::int as count
      from generate_series(${at}) s(position)
      cross join lateral (select * from activity where position = s.position limit 1) a
      left join lateral (select path from page_history where entity_id = a.stream order by from_position desc limit 1) h on a.path is not null
      left join lateral (select path from unpublished where entity_id = a.stream limit 1) u on true
      where ${walkOf(filter, span, add)} and ${visible(filter, add)}
      group by 1`,
    values,
  )
}
