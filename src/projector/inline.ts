import type { InlineRow } from '../log/batch.ts'
import type { EntityProjection, RowChange, Step } from './define.ts'

/** Names of primary-key columns by table, for the projections that are written inline. */
export type TableKeys = ReadonlyMap<string, readonly string[]>

/** The projections that are written in the append's transaction, and how their tables are keyed. */
export interface InlineProjections {
  readonly projections: readonly EntityProjection[]
  readonly keys: TableKeys
  /** Their names and versions: rows are only written where the database has the same. */
  readonly versions: string
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

  /** The rows as an append takes them. */
  encode(): InlineRow[] {
    return [...this.#rows.values()].map(({ op, table, row }) => ({ writer: `${op}_${table}`, row }))
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
