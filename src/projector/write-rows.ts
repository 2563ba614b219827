import type { Db } from '../pg/db.ts'
import type { Row, RowChange } from './define.ts'
import { type Shape, shapeOf } from './tables.ts'

/** The statements that write a table's rows, each given them as a JSON array. */
interface Statements {
  readonly put: string
  readonly close: string
  readonly drop: string
}

/** How the rows of some tables are written. */
export type Writers = ReadonlyMap<string, Statements>

/** Characters of JSON in one statement; one row may have more. */
const CHUNK_CHARS_MAX = 8 * 1024 * 1024

/** @param tables that are there */
export async function loadWriters(db: Db, tables: readonly string[]): Promise<Writers> {
  const writers = new Map<string, Statements>()
  for (const table of tables) writers.set(table, statementsOf(table, await shapeOf(db, table)))
  return writers
}

/**
 * Writes row changes, a statement for each table and kind of change. What is closed or dropped goes first, so that a row may go and
 * another take its place. No two changes are of the same row.
 */
export async function writeRows(
  db: Db,
  writers: Writers,
  changes: Iterable<RowChange>,
): Promise<void> {
  const gathered = gather(changes)
  for (const op of ['close', 'drop', 'put'] as const) {
    for (const [table, rows] of gathered[op]) {
      const statement = writers.get(table)?.[op]
      if (statement === undefined) throw new Error(`${table} is not a table of the projection`)
      for (const chunk of chunksOf(rows)) await db.rows(statement, [chunk])
    }
  }
}

type Gathered = Record<RowChange['op'], Map<string, Row[]>>

function gather(changes: Iterable<RowChange>): Gathered {
  const gathered: Gathered = { close: new Map(), drop: new Map(), put: new Map() }
  for (const { op, table, row } of changes) {
    const rows = gathered[op].get(table)
    if (rows) rows.push(row)
    else gathered[op].set(table, [row])
  }
  return gathered
}

function* chunksOf(rows: readonly Row[]): Generator<string> {
  let texts: string[] = []
  let chars = 0
  for (const row of rows) {
    const text = JSON.stringify(row)
    if (texts.length > 0 && chars + text.length > CHUNK_CHARS_MAX) {
      yield `[${texts.join(',')}]`
      texts = []
      chars = 0
    }
    texts.push(text)
    chars += text.length
  }
  yield `[${texts.join(',')}]`
}

function statementsOf(table: string, { columns, key }: Shape): Statements {
  const rows = `json_populate_recordset(null::${table}, $1::json) r`
  const matches = (other: string) =>
    key.map(column => `${other}.${column} = r.${column}`).join(' and ')
  return {
    put: putStatement(table, { columns, key }, rows, matches),
    close: `update ${table} t set until_position = r.until_position from ${rows} where ${matches('t')}`,
    drop: `delete from ${table} t using ${rows} where ${matches('t')}`,
  }
}

/** Not `on conflict do update`, which computes the columns that a table generates twice: measured 0.42 ms a row of search, so 0.21. */
function putStatement(
  table: string,
  { columns, key }: Pick<Shape, 'columns' | 'key'>,
  rows: string,
  matches: (other: string) => string,
): string {
  const rest = columns.filter(column => !key.includes(column))
  const list = columns.join(', ')
  if (rest.length === 0) {
    return `insert into ${table} (${list}) select ${list} from ${rows} on conflict do nothing`
  }
  return `with r as materialized (select ${list} from ${rows}),
    known as (
      update ${table} t set ${rest.map(column => `${column} = r.${column}`).join(', ')} from r where ${matches('t')}
      returning ${key.map(column => `t.${column}`).join(', ')}
    )
    insert into ${table} (${list}) select ${list} from r where not exists (select from known k where ${matches('k')})`
}
