import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { FOREVER } from '../projector/define.ts'

/** A page as another one names it: in a breadcrumb, a link, a picture. */
export interface NamedPage {
  readonly entityId: string
  readonly path: string
  readonly proto: string
  readonly title: string
  /** HTML or text as stored; '' in the past. */
  readonly abstract: string
  /** The file that a photo, vectorgraphic or audio shows; null for other pages and without one that everyone may have. */
  readonly file: string | null
  readonly fileType: string | null
  readonly fileBytes: number | null
}

/** Pages named by one other at most. */
export const NAMED_MAX = 1_000

/** `$3`: the position. What was sent comes before what was made of it, and small pictures last. */
const FILE = `left join lateral (
    select b.name, b.media_type, b.size_bytes from blobs b
    where p.proto in ('photo', 'vectorgraphic', 'audio') and b.entity_id = p.entity_id
      and b.from_position <= $3::bigint and b.until_position > $3::bigint and b.category = 'public'
      and b.media_type like case p.proto when 'audio' then 'audio/%' else 'image/%' end
    order by b.name like 'infile.%' desc, b.name like 'file.%' desc, b.name ~ '^file-(t|s|sq|st)[.]', b.name limit 1
  ) f on true`
const COLUMNS = `p.entity_id as "entityId", p.path, p.proto, p.title, f.name as file, f.media_type as "fileType",
  f.size_bytes as "fileBytes"`

const NOW = `select ${COLUMNS}, coalesce(p.summary->>'abstract', '') as abstract from pages p ${FILE}
  where p.path = any($1::text[]) and ($2::text is null or p.path ~ $2::text)`

const PAST = `select ${COLUMNS}, '' as abstract from page_history p
  cross join lateral (select h.path from page_history h where h.entity_id = p.entity_id
    order by h.from_position desc limit 1) now
  ${FILE}
  where p.path = any($1::text[]) and p.from_position <= $3::bigint and p.until_position > $3::bigint and p.state = 'live'
    and ($2::text is null or p.path ~ $2::text and now.path ~ $2::text)
    and ($4::text is null or p.path ~ $4::text and now.path ~ $4::text)`

/**
 * The live pages at some paths that a viewer may see, now or as of a position, by path; hidden ones too: whoever names them has
 * their address.
 *
 * @param paths the first `NAMED_MAX` of them count
 */
export async function findNamedPages(
  { db }: Site,
  viewer: Viewer,
  paths: readonly string[],
  position: number | null,
): Promise<Map<string, NamedPage>> {
  const wanted = [...new Set(paths)].slice(0, NAMED_MAX)
  if (wanted.length === 0) return new Map()
  const view = viewer.pathsWith('view')
  const rows =
    position === null
      ? await db.rows<NamedPage>(NOW, [wanted, view, FOREVER - 1])
      : await db.rows<NamedPage>(PAST, [wanted, view, position, viewer.pathsWith('history')])
  return new Map(rows.map(row => [row.path, row]))
}
