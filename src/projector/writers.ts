import { type Db, find } from '../pg/db.ts'
import { BINARY_TYPES, isPositionColumn } from '../pg/row-types.ts'
import { type Projection, tablesOf } from './define.ts'
import { isInline, versionsOf } from './tables.ts'
import { loadShapes, type Shape } from './target.ts'

/** Writes rows of one kind into one table: a member of the type `inline_rows`, an array of rows with these columns. */
interface Writer {
  readonly name: string
  /** `column type`, as a composite type has them. */
  readonly columns: readonly string[]
  /** The statement; `rows.<name>` holds the rows and `head` the position before the batch. */
  readonly statement: string
}

/**
 * Makes what `append` writes rows with: the type `inline_rows` with a member for each writer (`put_<table>`, `drop_<table>` and, where
 * there is an `until_position`, `close_<table>`), and the function `write_inline`, one with all statements so that their plans live as
 * long as the session.
 *
 * Rows of other projections, or of other versions of them, are refused (RM002): their process is of another version of rm3. Drops
 * and closes come before puts, so that a row may go and another take its place; verifications come last.
 */
export async function makeWriters(db: Db, projections: readonly Projection[]): Promise<void> {
  const inline = projections.filter(isInline)
  const shapes = await loadShapes(db, inline.flatMap(tablesOf))
  const writers = shapes.flatMap(writersOf)
  writers.sort((a, b) => (a.name < b.name ? -1 : 1))
  await makeTypes(db, writers)
  const steps = writers.map(
    ({ name, statement }) => `if rows.${name} is not null then ${statement}; end if;`,
  )
  await db.script(`
    drop function if exists write_inline(text, json, bigint);
    create or replace function write_inline(rows inline_rows, head bigint) returns void language plpgsql as $$ begin
      if rows.versions is distinct from '${versionsOf(inline)}' then
        raise exception 'rows of the projections %', rows.versions using errcode = 'RM002';
      end if;
      ${steps.join('\n')}
      if rows.verify_nothing_at is not null then perform verify_nothing_at(rows.verify_nothing_at); end if;
    end $$;
  `)
}

const SHAPE = `select obj_description('inline_rows'::regtype, 'pg_type') as shape`

const ATTRIBUTES = `select a.attname as name from pg_attribute a join pg_type t on t.typrelid = a.attrelid
  where t.oid = 'inline_rows'::regtype and a.attnum > 0 and not a.attisdropped`

/** The types of the rows, made anew only where the shape of a table is not what it was: appenders know them by their oids. */
async function makeTypes(db: Db, writers: readonly Writer[]): Promise<void> {
  const wanted = writers.map(({ name, columns }) => `${name} (${columns.join(', ')})`).join('; ')
  const found = await find<{ shape: string | null }>(db, SHAPE)
  if (found?.shape === wanted) return
  const attributes = await db.rows<{ name: string }>(ATTRIBUTES)
  const gone = attributes.map(({ name }) =>
    [`alter type inline_rows drop attribute ${name};`, `drop type if exists ${name};`].join('\n'),
  )
  const come = writers.map(({ name, columns }) =>
    [
      `create type ${name} as (${columns.join(', ')});`,
      `alter type inline_rows add attribute ${name} ${name}[];`,
    ].join('\n'),
  )
  await db.script(`
    ${gone.join('\n')}
    alter type inline_rows add attribute versions text;
    alter type inline_rows add attribute verify_nothing_at json;
    ${come.join('\n')}
    comment on type inline_rows is '${wanted}';
  `)
}

function writersOf({ name: table, columns: typed, key }: Shape): Writer[] {
  const columns = typed.map(({ name }) => name)
  const rest = columns.filter(name => !key.includes(name))
  const typeOf = (name: string) => typed.find(column => column.name === name)?.type ?? ''
  const declared = (some: readonly string[]) =>
    some.map(name => `${name} ${transportOf(typeOf(name))}`)
  const value = (name: string) => readOf(name, typeOf(name))
  const matches = key.map(name => `t.${name} = ${value(name)}`).join(' and ')
  const assigned = rest.map(name => `${name} = excluded.${name}`).join(', ')
  const writers = [
    {
      name: `put_${table}`,
      columns: declared(columns),
      statement: `insert into ${table} (${columns.join(', ')}) select ${columns.map(value).join(', ')} from unnest(rows.put_${table}) r
        on conflict (${key.join(', ')}) ${rest.length === 0 ? 'do nothing' : `do update set ${assigned}`}`,
    },
    {
      name: `drop_${table}`,
      columns: declared(key),
      statement: `delete from ${table} t using unnest(rows.drop_${table}) r where ${matches}`,
    },
  ]
  if (!columns.includes('until_position')) return writers
  const close = {
    name: `close_${table}`,
    columns: declared([...key, 'until_position']),
    statement: `update ${table} t set until_position = ${value('until_position')} from unnest(rows.close_${table}) r where ${matches}`,
  }
  return [...writers, close]
}

/** How a column travels: as it is, or as text where its type is not written in binary. */
function transportOf(type: string): string {
  return BINARY_TYPES.has(type) ? type : 'text'
}

function readOf(name: string, type: string): string {
  const value = BINARY_TYPES.has(type) ? `r.${name}` : `r.${name}::${type}`
  return isPositionColumn(name)
    ? `case when ${value} < 0 then head - ${value} else ${value} end`
    : value
}
