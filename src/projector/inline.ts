import type { InlineRow } from '../log/batch.ts'
import type { EntityProjection, Row, RowChange, Step } from './define.ts'

/** Names of primary-key columns by table, for the projections that are written inline. */
export type TableKeys = ReadonlyMap<string, readonly string[]>

/** The projections that are written in the append's transaction, and how their tables are keyed. */
export interface InlineProjections {
  readonly projections: readonly EntityProjection[]
  readonly keys: TableKeys
}

/** The rows that some events of one append cause, each row once with what it is in the end. */
export class RowSet {
  readonly #rows = new Map<string, RowChange>()
  readonly #inline: InlineProjections
  /** Whether rights changed. */
  rights = false

  constructor(inline: InlineProjections) {
    this.#inline = inline
  }

  /** Adds what one event does. */
  add(step: Step): void {
    for (const projection of this.#inline.projections) {
      const changes = projection.step(step)
      if (changes.length > 0 && projection.rights) this.rights = true
      for (const change of changes) this.#merge(change)
    }
  }

  /** All rows in the end, for a rebuild that writes them at once; a dropped row is not there. */
  *changes(): IterableIterator<RowChange> {
    yield* this.#rows.values()
  }

  /** @param offset how many events of the batch stand before this append's (see `AppendRequest.rows`) */
  encode(offset: number): InlineRow[] {
    return [...this.#rows.values()].map(({ op, table, row }) => ({
      writer: `${op}_${table}`,
      json: JSON.stringify(shifted(row, offset)),
    }))
  }

  #merge(change: RowChange): void {
    const key = this.#keyOf(change)
    const known = this.#rows.get(key)
    if (change.op !== 'close' || known === undefined) this.#rows.set(key, change)
    else if (known.op !== 'drop') {
      this.#rows.set(key, { ...known, row: { ...known.row, ...change.row } })
    }
  }

  #keyOf({ table, row }: RowChange): string {
    const columns = this.#inline.keys.get(table)
    if (columns === undefined) throw new Error(`${table} is not a table of an inline projection`)
    return `${table} ${columns.map(column => String(row[column])).join('\n')}`
  }
}

const POSITION = /(^|_)position$/

const judged = new Map<string, boolean>()

/** Whether a column holds positions, by its name. */
export function isPositionColumn(name: string): boolean {
  let is = judged.get(name)
  if (is === undefined) {
    is = POSITION.test(name)
    judged.set(name, is)
  }
  return is
}

function shifted(row: Row, offset: number): Row {
  if (offset === 0) return row
  const copy: Record<string, Row[string]> = { ...row }
  for (const column in copy) {
    const value = copy[column]
    if (typeof value === 'number' && value < 0 && isPositionColumn(column))
      copy[column] = value - offset
  }
  return copy
}
