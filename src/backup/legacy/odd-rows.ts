import type { Json } from '../../codec/json.ts'
import { refuse } from './findings.ts'
import type { LegacyRow } from './history.ts'
import { writtenAt } from './moments.ts'
import type { Origin, Step } from './plan.ts'

/**
 * Keeps rows that became no event, whole, in `meta.import.otherRows` of the event nearest before them: of their page,
 * else of the page at their path, else of any.
 */
export function keepOddRows(
  rows: readonly LegacyRow[],
  streams: ReadonlyMap<string, readonly Step[]>,
  origin: Origin,
): void {
  const [any = []] = [...streams.values()]
  for (const row of rows) {
    const time = Date.parse(writtenAt(row, origin.dumpedAt))
    const resident = origin.recordAt(row.path)?.entityId ?? ''
    const steps = streams.get(row.entityId ?? '') ?? streams.get(resident) ?? any
    const step = steps.findLast(other => other.time <= time) ?? steps[0]
    if (step === undefined) refuse(row.spot, 'row-homeless', 'the row belongs to no page')
    else otherRowsOf(step).push(row.original)
  }
}

function otherRowsOf({ kept }: Step): Json[] {
  const { otherRows } = kept
  if (Array.isArray(otherRows)) return otherRows
  const rows: Json[] = []
  kept['otherRows'] = rows
  return rows
}
