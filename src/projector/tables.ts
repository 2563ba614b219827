import { type Db, one } from '../pg/db.ts'
import type { Projection } from './define.ts'
import { type InlineProjections, isPositionColumn } from './inline.ts'

/** The primary keys of the projections' tables, as `RowSet` needs them. */
export async function loadInline(
  db: Db,
  projections: readonly Projection[],
): Promise<InlineProjections> {
  const keys = new Map<string, string[]>()
  for (const table of projections.flatMap(projection => projection.tables)) {
    const { key } = await shapeOf(db, table)
    keys.set(table, key)
  }
  return { projections, keys }
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
 * The functions `put_<table>`, `drop_<table>` and, where there is an `until_position`, `close_<table>`, which `append` calls with rows as JSON and the head before the
 * batch. They are plpgsql, whose plans live as long as the session.
 */
export async function makeWriters(db: Db, table: string): Promise<void> {
  const { columns, key } = await shapeOf(db, table)
  const rest = columns.filter(column => !key.includes(column))
  const value = (column: string) =>
    isPositionColumn(column)
      ? `case when r.${column} < 0 then head - r.${column} else r.${column} end`
      : `r.${column}`
  const assign = rest.map(column => `${column} = excluded.${column}`).join(', ')
  const matches = key.map(column => `t.${column} = r.${column}`).join(' and ')
  await db.script(`
    create or replace function put_${table}(rows json, head bigint) returns void language plpgsql as $$ begin
      insert into ${table} (${columns.join(', ')})
      select ${columns.map(value).join(', ')} from json_populate_recordset(null::${table}, rows) r
      on conflict (${key.join(', ')}) ${rest.length === 0 ? 'do nothing' : `do update set ${assign}`};
    end $$;
    create or replace function drop_${table}(rows json, head bigint) returns void language plpgsql as $$ begin
      delete from ${table} t using json_populate_recordset(null::${table}, rows) r where ${matches};
    end $$;
  `)
  if (!columns.includes('until_position')) return
  await db.script(`
    create or replace function close_${table}(rows json, head bigint) returns void language plpgsql as $$ begin
      update ${table} t set until_position = ${value('until_position')}
      from json_populate_recordset(null::${table}, rows) r where ${matches};
    end $$;
  `)
}
