import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import type { Db } from '../pg/db.ts'
import { FOREVER } from '../projector/define.ts'
import type { AtAhead, Moment } from './at.ts'
import { pastOf } from './past-filter.ts'
import { listPlanned, pagesWith } from './planned.ts'

/** A page as another one names it: in a breadcrumb, a link, a picture. */
export interface NamedPage {
  readonly entityId: string
  readonly path: string
  readonly proto: string
  readonly title: string
  /** HTML or text as stored. */
  readonly abstract: string
  /** The file that a photo, vectorgraphic or audio shows; null for other pages and without one that everyone may have. */
  readonly file: string | null
  readonly fileType: string | null
  readonly fileBytes: number | null
}

/** Pages named by one other at most. */
export const NAMED_MAX = 1_000

/** `$2`: the position. What was sent comes before what was made of it, and small pictures last. */
const FILE = `left join lateral (
    select b.name, b.media_type, b.size_bytes from blobs b
    where p.proto in ('photo', 'vectorgraphic', 'audio') and b.entity_id = p.entity_id
      and b.from_position <= $2::bigint and b.until_position > $2::bigint and b.category = 'public'
      and b.media_type like case p.proto when 'audio' then 'audio/%' else 'image/%' end
    order by b.name like 'infile.%' desc, b.name like 'file.%' desc, b.name ~ '^file-(t|s|sq|st)[.]', b.name limit 1
  ) f on true`
const COLUMNS = `p.entity_id as "entityId", p.path, p.proto, p.title, f.name as file, f.media_type as "fileType",
  f.size_bytes as "fileBytes"`

const FROM = `select ${COLUMNS}, coalesce(p.summary->>'abstract', '') as abstract from`
const NOW = `${FILE}
  where p.path = any($1::text[]) and ($3::text is null or p.path ~ $3::text)`

const PAST = `${FROM} headings p ${FILE}
  where p.path = any($1::text[]) and p.from_position <= $2::bigint and p.until_position > $2::bigint`

/**
 * The live pages at some paths that a viewer may see, now or at another time, by path; hidden ones too: whoever names them has
 * their address.
 *
 * @param paths the first `NAMED_MAX` of them count
 */
export async function findNamedPages(
  site: Site,
  viewer: Viewer,
  paths: readonly string[],
  when: Moment | null,
): Promise<Map<string, NamedPage>> {
  const wanted = [...new Set(paths)].slice(0, NAMED_MAX)
  if (wanted.length === 0) return new Map()
  const rows =
    when === null || 'ahead' in when
      ? await findNow(site, viewer, wanted, when)
      : await findPast(site.db, viewer, wanted, when.position)
  return new Map(rows.map(row => [row.path, row]))
}

async function findNow(
  site: Site,
  viewer: Viewer,
  paths: readonly string[],
  when: AtAhead | null,
): Promise<NamedPage[]> {
  const values: unknown[] = [paths, FOREVER - 1, viewer.pathsWith('view')]
  const planned = await listPlanned(site, viewer, when)
  const pages = pagesWith(planned, value => `$${values.push(value)}`)
  return site.db.rows<NamedPage>(`${FROM} ${pages} p ${NOW}`, values)
}

function findPast(
  db: Db,
  viewer: Viewer,
  paths: readonly string[],
  position: number,
): Promise<NamedPage[]> {
  const values: unknown[] = [paths, position]
  const where = pastOf(viewer, 'p', value => `$${values.push(value)}`)
  return db.rows<NamedPage>([PAST, ...where].join(' and '), values)
}
