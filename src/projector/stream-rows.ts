import type { Column, EntityProjection, Row, RowChange, Step } from './define.ts'
import type { TableKeys } from './inline.ts'

/** One row of a stream as it is in the end. */
export interface HeldRow {
  /** `close` and `drop` are of rows that were handed out before. */
  op: RowChange['op']
  row: Row
  /** What `until_position` is in place of what the row says; undefined when the row says it. */
  until: Column | undefined
}

/**
 * The rows of one stream, for a rebuild or a check: as `RowSet`, but made for many events of one stream, each of which closes the row
 * of the one before.
 */
export class StreamRows {
  readonly #keys: TableKeys
  readonly #tables = new Map<string, Map<RowKey, HeldRow>>()

  /** @param keys what tells its rows apart (see `keysInStream`) */
  constructor(keys: TableKeys) {
    this.#keys = keys
  }

  /** Adds what one event does. */
  add(projections: readonly EntityProjection[], step: Step): void {
    for (const projection of projections) {
      for (const change of projection.step(step)) this.#merge(change)
    }
  }

  /** The rows by table, in the order in which they first came. */
  tables(): IterableIterator<[table: string, rows: Iterable<HeldRow>]> {
    return entriesOf(this.#tables)
  }

  /** The rows as changes; those that only drop what is not there are left out. */
  *puts(): IterableIterator<RowChange> {
    for (const [table, rows] of this.tables()) {
      for (const held of rows) if (held.op === 'put') yield changeOf(table, held)
    }
  }

  /** The rows as changes of what is there. */
  *changes(): IterableIterator<RowChange> {
    for (const [table, rows] of this.tables()) {
      for (const held of rows) yield changeOf(table, held)
    }
  }

  #merge({ op, table, row }: RowChange): void {
    let rows = this.#tables.get(table)
    if (rows === undefined) {
      rows = new Map()
      this.#tables.set(table, rows)
    }
    const key = keyOf(row, this.#keys.get(table), table)
    const known = op === 'close' ? rows.get(key) : undefined
    if (known === undefined) rows.set(key, { op, row, until: undefined })
    else if (known.op !== 'drop') known.until = row['until_position']
  }
}

function* entriesOf(
  tables: ReadonlyMap<string, ReadonlyMap<RowKey, HeldRow>>,
): IterableIterator<[string, Iterable<HeldRow>]> {
  for (const [table, rows] of tables) yield [table, rows.values()]
}

function changeOf(table: string, { op, row, until }: HeldRow): RowChange {
  return { op, table, row: until === undefined ? row : { ...row, until_position: until } }
}

/** A key of one column is its value; that of several is a text. */
type RowKey = Column | undefined

function keyOf(row: Row, columns: readonly string[] | undefined, table: string): RowKey {
  if (columns === undefined) throw new Error(`${table} is not a table of the projections`)
  if (columns.length === 1) return row[columns[0] as string]
  let key = ''
  for (const column of columns) key += `${String(row[column])}\n`
  return key
}
