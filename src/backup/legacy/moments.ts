import { isContentClass, type LegacyRow } from './history.ts'
import { timeOf } from './residents.ts'

/** A point in a life: a row of the old log is one, or two when it was a draft first and went live later. */
export interface Moment {
  readonly row: LegacyRow
  readonly kind: 'draft' | 'live' | 'publish' | 'move' | 'delete'
  /** The old clock's instant. */
  readonly at: string
}

/**
 * A row is one save that went live at once when it was published within this time of being written: rm3 0.x took
 * milliseconds for it (1 to 9 in the backups at hand), a person needs longer.
 */
const AT_ONCE_MS = 1000

/**
 * The moments of a life in order.
 *
 * By time (published, else written), then number, then creation first. A page's first creation comes first whatever
 * the clock says: everything else of it needs it.
 *
 * @param unknown the instant of rows that have none
 */
export function momentsOf(rows: readonly LegacyRow[], unknown: string): Moment[] {
  const moments = rows.flatMap(row => momentsOfRow(row, unknown))
  const sorted = moments
    .map((moment, index) => ({ moment, index, time: sortTimeOf(moment) }))
    .sort(
      (one, other) =>
        one.time - other.time ||
        (one.moment.row.number ?? 0) - (other.moment.row.number ?? 0) ||
        rankOf(one.moment) - rankOf(other.moment) ||
        one.index - other.index,
    )
    .map(({ moment }) => moment)
  const first = sorted.findIndex(({ row }) => row.evtClass === 'Create' && row.base === null)
  if (first > 0) sorted.unshift(...sorted.splice(first, 1))
  return sorted
}

/** When the row was written by the old clock. */
export function writtenAt(row: LegacyRow, unknown: string): string {
  const { content } = row
  return row.touched ?? row.started ?? row.ended ?? content?.modified ?? content?.created ?? unknown
}

function momentsOfRow(row: LegacyRow, unknown: string): Moment[] {
  const at = writtenAt(row, unknown)
  if (row.evtClass === 'Move') return [{ row, kind: 'move', at }]
  if (row.evtClass === 'Delete') return [{ row, kind: 'delete', at }]
  if (!isContentClass(row.evtClass)) return []
  if (!row.final) return [{ row, kind: 'draft', at }]
  const { ended } = row
  if (ended === null || Date.parse(ended) - Date.parse(at) <= AT_ONCE_MS)
    return [{ row, kind: 'live', at }]
  return [
    { row, kind: 'draft', at },
    { row, kind: 'publish', at: ended },
  ]
}

function sortTimeOf({ row, kind, at }: Moment): number {
  return kind === 'draft' || kind === 'publish' ? Date.parse(at) : (timeOf(row) ?? Date.parse(at))
}

function rankOf({ row, kind }: Moment): number {
  if (kind === 'publish') return 2
  return row.evtClass === 'Create' ? 0 : 1
}
