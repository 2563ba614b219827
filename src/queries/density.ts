import { listDeedCounts } from '../../projections/activity.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { SITE_PATH } from '../content/path.ts'
import { readHead, readPositionsAt } from '../log/read.ts'
import { type Db, find } from '../pg/db.ts'
import { type ChangesAsked, filterOf } from './changes.ts'

export const STRETCHES_MAX = 200
export const STRETCHES_DEFAULT = 60
/** Positions that are looked at for those who may not see everything. */
const LOOKED_MAX = 4_000

/** A stretch of time, and how much was done in it. */
export interface Stretch {
  /** Instants: after the one and up to the other. */
  readonly from: string
  readonly until: string
  /** The last position in it, or before it. */
  readonly position: number
  readonly count: number
}

/** How dense changes are in time. */
export interface Density {
  readonly stretches: readonly Stretch[]
  /** false: counted were some of the positions, each standing for as many as were left out beside it. */
  readonly exact: boolean
}

/**
 * How many changes of which a viewer may hear were done when, in stretches of the same length. Who may hear of everything is told by
 * positions alone; for others at most 4,000 of them are looked at.
 *
 * @returns no stretches where nothing was done
 */
export async function readDensity(
  site: Site,
  viewer: Viewer,
  asked: ChangesAsked,
  stretches: number,
): Promise<Density> {
  const { db } = site
  const first = asked.from ?? 0
  const last = asked.to ?? (await readHead(db)).position
  if (last <= first) return { stretches: [], exact: true }
  const [begin, end] = await Promise.all([instantAt(db, first + 1), instantAt(db, last)])
  const instants = edgesOf(begin, end, stretches)
  const inner = await readPositionsAt(db, instants.slice(1, -1))
  const edges = [first, ...inner.map(at => Math.min(Math.max(at, first), last)), last]
  const every = hearsAll(viewer, asked) ? 1 : Math.max(1, Math.ceil((last - first) / LOOKED_MAX))
  const counts = hearsAll(viewer, asked)
    ? edges.slice(1).map((edge, index) => edge - (edges[index] as number))
    : await countIn(site, viewer, asked, { edges, every })
  return {
    exact: every === 1,
    stretches: counts.map((count, index) => ({
      from: instants[index] as string,
      until: instants[index + 1] as string,
      position: edges[index + 1] as number,
      count,
    })),
  }
}

function hearsAll(viewer: Viewer, { under, author, type }: ChangesAsked): boolean {
  const rights = ['view', 'history', 'viewdraft', 'user.edit']
  const isAll = rights.every(right => viewer.pathsWith(right) === null)
  const isChosen = under !== null || author !== null || type !== null
  return isAll && viewer.may('grant', SITE_PATH) && !isChosen
}

async function countIn(
  site: Site,
  viewer: Viewer,
  asked: ChangesAsked,
  { edges, every }: { edges: readonly number[]; every: number },
): Promise<number[]> {
  const filter = await filterOf(site, viewer, asked)
  const rows = await listDeedCounts(site.db, filter, edges, every)
  const counts = new Map(rows.map(({ stretch, count }) => [stretch, count]))
  return edges.slice(1).map((_, index) => (counts.get(index + 1) ?? 0) * every)
}

/** Instants that part a time into stretches of the same length, both ends among them. */
function edgesOf(begin: string, end: string, stretches: number): string[] {
  const [from, to] = [Date.parse(begin), Date.parse(end)]
  return Array.from({ length: stretches + 1 }, (_, index) =>
    new Date(from + ((to - from) * index) / stretches).toISOString(),
  )
}

const RECORDED_AT = `select recorded_at as "recordedAt" from log where position = $1::bigint`

async function instantAt(db: Db, position: number): Promise<string> {
  const row = await find<{ recordedAt: string }>(db, RECORDED_AT, [position])
  if (row === null) throw new Error(`the log has no position ${position}`)
  return row.recordedAt
}
