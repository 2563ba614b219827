import type { Json } from '../../codec/json.ts'
import { refuse } from './findings.ts'
import type { LegacyRow } from './history.ts'
import { writtenAt } from './moments.ts'
import type { Step } from './plan.ts'
import type { Residents } from './residents.ts'

/**
 * Keeps rows that became no event, whole, in `meta.import.otherRows` of the event nearest before them: of their page,
 * else of the page at their path.
 */
export function keepOddRows(
  rows: readonly LegacyRow[],
  streams: ReadonlyMap<string, readonly Step[]>,
  known: { readonly residents: Residents; readonly dumpedAt: string },
): void {
  for (const row of rows) {
    const time = Date.parse(writtenAt(row, known.dumpedAt))
    const own = row.entityId === null ? undefined : streams.get(row.entityId)
    const steps = own?.length ? own : streams.get(known.residents(row.path, time) ?? '')
    const [first] = steps ?? []
    const step = steps?.findLast(other => other.time <= time) ?? first
    if (step === undefined) refuse(row.spot, 'row-homeless', 'the row belongs to no page')
    else step.kept['otherRows'] = [...otherRows(step), row.original]
  }
}

function otherRows({ kept }: Step): Json[] {
  const { otherRows: rows } = kept
  return Array.isArray(rows) ? rows : []
}
