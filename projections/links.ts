import {
  close,
  type Db,
  defineProjection,
  documentFrom,
  type Entity,
  FOREVER,
  type Hyperlink,
  hashDocument,
  hyperlinksOf,
  keyOfLink,
  mayLink,
  put,
  type State,
} from 'rm3'

/**
 * Where the pages that readers see link to, each place once for each page, with the position that had it first without a break since. A link
 * that is gone keeps its row, so that who asks for the past knows which pages to read.
 */
export default defineProjection({
  name: 'links',
  version: 3,
  mode: 'async',
  tables: { links: { column: 'entity_id' } },
  sql: `
    create table {links} (
      entity_id     uuid   not null,
      link          text   not null, -- hash of where it leads, which may be too long for an index
      path          text   collate "C",
      url           text,
      from_position bigint not null,
      until_position bigint not null,
      primary key (entity_id, link)
    );
    create index {links}_path on {links} (path, entity_id) where path is not null;
  `,
  step: ({ before, event, after }) => {
    if (after.kind !== 'entity') return []
    if (after.since === (before?.kind === 'entity' ? before.since : 0)) return []
    const was = linksOf(before)
    const now = linksOf(after)
    const gone = [...was.keys()].filter(key => !now.has(key))
    const come = [...now].filter(([key]) => !was.has(key))
    return [
      ...gone.map(key => close('links', keyColumns(after.id, key), event.position)),
      ...come.map(([key, link]) =>
        put('links', {
          ...keyColumns(after.id, key),
          path: link.type === 'page' ? link.path : null,
          url: link.type === 'url' ? link.url : null,
          from_position: event.position,
          until_position: FOREVER,
        }),
      ),
    ]
  },
})

function keyColumns(entityId: string, key: string) {
  return { entity_id: entityId, link: hashDocument(key) }
}

type Links = ReadonlyMap<string, Hyperlink>

/** The page that was looked at last: where a stream is folded, the state after an event is the one before the next. */
let last: { readonly live: Entity['live']; readonly path: string; readonly links: Links } | null =
  null

function linksOf(state: State | null): Links {
  if (state?.kind !== 'entity' || state.state !== 'live' || state.live === null) return new Map()
  const { live, path } = state
  if (last === null || last.live !== live || last.path !== path) {
    const found = mayLink(live.document) ? hyperlinksOf(documentFrom(live.document), path) : []
    last = { live, path, links: new Map(found.map(link => [keyOfLink(link), link])) }
  }
  return last.links
}

/** Where a page leads: to a page of the site or to an address elsewhere. */
export interface LinkFrom {
  readonly path: string | null
  readonly url: string | null
  readonly fromPosition: number
}

const FROM = `select path, url, from_position as "fromPosition" from links
  where entity_id = $1::uuid and until_position = ${FOREVER} order by path, url limit $2::int`

/** The links of a page, those within the site first. */
export async function listLinksFrom(db: Db, entityId: string, limit: number): Promise<LinkFrom[]> {
  return db.rows<LinkFrom>(FROM, [entityId, limit])
}

/** A page that leads to another. */
export interface LinkTo {
  readonly entityId: string
  readonly path: string
  readonly title: string
  readonly fromPosition: number
}

const TO = `select l.entity_id as "entityId", p.path, p.title, l.from_position as "fromPosition"
  from links l join pages p on p.entity_id = l.entity_id
  where l.path = $1::text and l.until_position = ${FOREVER} and p.path ~ $2::text and (not p.hidden or p.path ~ $3::text)
  order by p.path limit $4::int`

/**
 * The live pages that link to a path, by path.
 *
 * @param where regular expressions of the paths where pages count, and where hidden ones do too
 */
export async function listLinksTo(
  db: Db,
  path: string,
  where: { viewed: string; hiddenToo: string | null },
  limit: number,
): Promise<LinkTo[]> {
  return db.rows<LinkTo>(TO, [path, where.viewed, where.hiddenToo, limit])
}

const EVER = `select entity_id as id from links where path = $1::text order by entity_id limit $2::int`

/** The pages that link to a path or ever did. */
export async function listEverLinking(db: Db, path: string, limit: number): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(EVER, [path, limit])
  return rows.map(({ id }) => id)
}

const ABSENT = `select q.path from unnest($1::text[]) as q(path)
  where not exists (select from pages t where t.path = q.path)
    and coalesce((select h.state = 'deleted' and h.redirect is null and h.until_position = ${FOREVER}
      from page_history h where h.path = q.path order by h.from_position desc limit 1), true)
  order by q.path`

/** Those of the paths where no page is and from where no redirect leads on. */
export async function listAbsent(db: Db, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return []
  return (await db.rows<{ path: string }>(ABSENT, [paths])).map(({ path }) => path)
}

/** A link to where no page is and no redirect leads on. */
export interface BrokenLink {
  readonly target: string
  readonly path: string
  readonly entityId: string
  readonly title: string
  readonly fromPosition: number
}

/** Where a look at the links stands: after the link of that page to that path. */
export interface LinkKey {
  readonly target: string
  readonly entityId: string
}

const BOUND = `select path as target, entity_id as "entityId" from links
  where path is not null and until_position = ${FOREVER} and ($1::text is null or (path, entity_id) > ($1::text, $2::uuid))
  order by path, entity_id offset $3::int limit 1`

const BROKEN = `select l.path as target, p.path, l.entity_id as "entityId", p.title, l.from_position as "fromPosition"
  from links l join pages p on p.entity_id = l.entity_id
  where l.path is not null and l.until_position = ${FOREVER} and ($1::text is null or (l.path, l.entity_id) > ($1::text, $2::uuid))
    and ($3::text is null or (l.path, l.entity_id) <= ($3::text, $4::uuid))
    and p.path ~ $5::text and l.path ~ $6::text
    and not exists (select from pages t where t.path = l.path)
    and coalesce((select h.state = 'deleted' and h.redirect is null and h.until_position = ${FOREVER}
      from page_history h where h.path = l.path order by h.from_position desc limit 1), true)
  order by l.path, l.entity_id limit $7::int`

/**
 * Links to paths where no page is, in the order of these paths; of so many links as are looked at.
 *
 * @param where regular expressions: of the paths of pages that count, and of targets that do
 * @returns `bound`: the last link that was looked at; null at the end
 */
export async function listBrokenLinks(
  db: Db,
  where: { edited: string; viewed: string },
  part: { after: LinkKey | null; looked: number; limit: number },
): Promise<{ links: BrokenLink[]; bound: LinkKey | null }> {
  const after = [part.after?.target ?? null, part.after?.entityId ?? null]
  const [bound = null] = await db.rows<LinkKey>(BOUND, [...after, part.looked])
  const until = [bound?.target ?? null, bound?.entityId ?? null]
  const values = [...after, ...until, where.edited, where.viewed, part.limit]
  return { links: await db.rows<BrokenLink>(BROKEN, values), bound }
}
