import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { readState } from '../commands/states.ts'
import { type Document, documentOf } from '../content/document.ts'
import type { Entity } from '../content/state.ts'
import { type Add, pastOf } from './past-filter.ts'

/** A page as readers saw it at a position, whole. */
export interface PageThen {
  readonly entityId: string
  readonly path: string
  readonly title: string
  readonly proto: string
  readonly modified: string
  /** Since when it was so. */
  readonly fromPosition: number
  readonly document: Document
}

interface Row extends Omit<PageThen, 'document'> {
  readonly revision: number
}

/** Documents that are folded at the same time. */
const FOLDED_MAX = 4

const THEN = `select p.entity_id as "entityId", p.path, p.title, p.proto, s.modified, s.revision, s.from_position as "fromPosition"
  from unnest($1::uuid[]) with ordinality as asked(id, number) join headings p on p.entity_id = asked.id
  cross join lateral (select * from page_history h where h.entity_id = p.entity_id and h.from_position > 0
    and h.from_position <= $2::bigint order by h.from_position desc limit 1) s
  where p.from_position <= $2::bigint and p.until_position > $2::bigint`

/**
 * Some pages as they were at a position, by path: the first `limit` of them that were live then and whose past the viewer may read. Each
 * document is read.
 *
 * @param where `below`: only below that path; `hidden`: also hidden ones that the viewer may edit
 */
export async function readPagesThen(
  { db }: Site,
  viewer: Viewer,
  { ids, position, limit }: { ids: readonly string[]; position: number; limit: number },
  where: { below: string | null; hidden: boolean },
): Promise<PageThen[]> {
  const values: unknown[] = [ids, position]
  const add: Add = value => `$${values.push(value)}`
  const conditions = [THEN, ...pastOf(viewer, 'p', add), hiddenIn(viewer, where.hidden, add)]
  if (where.below !== null) {
    const top = add(where.below)
    conditions.push(`p.path > ${top}::text || '.' and p.path < ${top}::text || '/'`)
  }
  const first = `${conditions.join(' and ')} order by asked.number limit ${add(limit)}::int`
  const rows = await db.rows<Row>(`select * from (${first}) p order by p.path`, values)
  const pages: PageThen[] = []
  for (let from = 0; from < rows.length; from += FOLDED_MAX) {
    const part = rows.slice(from, from + FOLDED_MAX).map(async ({ revision, ...row }) => {
      const entity = (await readState(db, row.entityId, revision)) as Entity | null
      return entity === null ? [] : [{ ...row, document: documentOf(entity.tip) }]
    })
    pages.push(...(await Promise.all(part)).flat())
  }
  return pages
}

function hiddenIn(viewer: Viewer, hidden: boolean, add: Add): string {
  if (!hidden) return 'not p.hidden'
  const edit = viewer.pathsWith('post.edit')
  return edit === null ? 'true' : `(not p.hidden or p.path ~ ${add(edit)}::text)`
}
