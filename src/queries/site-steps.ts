import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { readHead } from '../log/read.ts'
import { pastOf } from './past-filter.ts'

/** Where the site was another before and after a position; null where it was not. */
export interface SiteSteps {
  readonly previous: number | null
  readonly next: number | null
}

/** Events that are looked through for one that changed what the viewer sees; then the step is as long as that. */
const LOOKED_MAX = 1_000

const CHANGES = `select l.position from log l
  join page_history p on p.entity_id = l.stream and p.since = l.revision
  where l.position > $1::bigint and l.position <= $2::bigint`

/**
 * The positions before and after one at which something that a viewer may see of the past was another. Where there is none near, a step goes over
 * `LOOKED_MAX` positions, in which the viewer would see no change.
 */
export async function findSiteSteps(
  site: Site,
  viewer: Viewer,
  position: number,
): Promise<SiteSteps> {
  const low = Math.max(0, position - LOOKED_MAX)
  const { position: head } = await readHead(site.db)
  const high = Math.min(head, position + LOOKED_MAX)
  const [before, after] = await Promise.all([
    changes(site, viewer, { after: low, upTo: position }, 'desc limit 2'),
    changes(site, viewer, { after: position, upTo: high }, 'asc limit 1'),
  ])
  return {
    previous: before[1] ?? (low > 0 ? low : null),
    next: after[0] ?? (high < head ? high : null),
  }
}

async function changes(
  { db }: Site,
  viewer: Viewer,
  range: { after: number; upTo: number },
  order: 'asc limit 1' | 'desc limit 2',
): Promise<number[]> {
  const values: unknown[] = [range.after, range.upTo]
  const where = [CHANGES, ...pastOf(viewer, 'p', value => `$${values.push(value)}`)].join(' and ')
  const rows = await db.rows<{ position: number }>(`${where} order by l.position ${order}`, values)
  return rows.map(({ position }) => position)
}
