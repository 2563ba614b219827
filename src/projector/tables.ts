import { type Db, one } from '../pg/db.ts'
import { type EntityProjection, isPerEntity, type Projection, tablesOf } from './define.ts'
import { type InlineProjections, isPositionColumn } from './inline.ts'

/** Those of the projections that are written in the append's transaction, with their tables' primary keys, as `RowSet` needs them. */
export async function loadInline(
  db: Db,
  projections: readonly Projection[],
): Promise<InlineProjections> {
  return loadRowKeys(db, projections.filter(isInline))
}

/** Projections with the primary keys of their tables, as `RowSet` needs them. */
export async function loadRowKeys(
  db: Db,
  projections: readonly EntityProjection[],
): Promise<InlineProjections> {
  const keys = new Map<string, string[]>()
  for (const table of projections.flatMap(tablesOf)) {
    const { key } = await shapeOf(db, table)
    keys.set(table, key)
  }
  return { projections, keys }
}

/** Whether a projection is written in the append's transaction. */
export function isInline(projection: Projection): projection is EntityProjection {
  return projection.mode === 'inline' && isPerEntity(projection)
}

interface Shape {
  readonly columns: string[]
  readonly key: string[]
}

const SHAPE = `select
  array(select attname::text from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum) as columns,
  array(select a.attname::text from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
    where i.indrelid = $1::regclass and i.indisprimary order by array_position(i.indkey::int2[], a.attnum)) as key`

async function shapeOf(db: Db, table: string): Promise<Shape> {
  const shape = await one<Shape>(db, SHAPE, [table])
  if (shape.key.length === 0) throw new Error(`the projection's table ${table} has no primary key`)
  return shape
}

/**
 * Makes the function `write_inline(writer, rows, head)`, which `append` calls: it writes rows given as JSON with one of the writers
 * `put_<table>`, `drop_<table>` and, where there is an `until_position`, `close_<table>`. It is one function with a branch each, so
 * that every statement's plan lives as long as the session.
 */
export async function makeWriters(db: Db, projections: readonly Projection[]): Promise<void> {
  const branches: string[] = []
  for (const table of projections.filter(isInline).flatMap(tablesOf))
    branches.push(...writersOf(table, await shapeOf(db, table)))
  await db.script(`
    create or replace function write_inline(writer text, rows json, head bigint) returns void language plpgsql as $$ begin
      case writer
      ${branches.join('\n')}
      when 'verify_nothing_at' then perform verify_nothing_at(rows);
      else raise exception '% is not a writer of an inline projection', writer using errcode = 'invalid_parameter_value';
      end case;
    end $$;
  `)
}

function writersOf(table: string, { columns, key }: Shape): string[] {
  const rest = columns.filter(column => !key.includes(column))
  const value = (column: string) =>
    isPositionColumn(column)
      ? `case when r.${column} < 0 then head - r.${column} else r.${column} end`
      : `r.${column}`
  const assign = rest.map(column => `${column} = excluded.${column}`).join(', ')
  const matches = key.map(column => `t.${column} = r.${column}`).join(' and ')
  const rows = `json_populate_recordset(null::${table}, rows) r`
  const writers = [
    `when 'put_${table}' then
      insert into ${table} (${columns.join(', ')})
      select ${columns.map(value).join(', ')} from ${rows}
      on conflict (${key.join(', ')}) ${rest.length === 0 ? 'do nothing' : `do update set ${assign}`};`,
    `when 'drop_${table}' then delete from ${table} t using ${rows} where ${matches};`,
  ]
  if (columns.includes('until_position')) {
    writers.push(
      `when 'close_${table}' then
      update ${table} t set until_position = ${value('until_position')} from ${rows} where ${matches};`,
    )
  }
  return writers
}
