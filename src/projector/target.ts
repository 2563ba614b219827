import type { Db } from '../pg/db.ts'
import type { CopyColumn } from './copy-text.ts'
import type { EntityProjection, RowOwner } from './define.ts'

/** A table as it is in the database. */
export interface Shape {
  /** As the database calls it. */
  readonly name: string
  /** Those that are written, in the order of the table; not those that it computes itself. */
  readonly columns: readonly TargetColumn[]
  /** The columns of the primary key, in its order. */
  readonly key: readonly string[]
}

/** A table that a projection's rows are in or are put into: the live one, or one beside it. */
export interface Target extends Shape {
  /** As the projection calls it. */
  readonly table: string
  readonly owner: RowOwner
}

export interface TargetColumn extends CopyColumn {
  /** As SQL calls the type. */
  readonly type: string
  /** Whether its values can be hashed as they are; else their text is. */
  readonly hashable: boolean
}

/** Tables by the names that their projections give them. */
export type Targets = ReadonlyMap<string, Target>

/** Columns of primary keys by the table's name in the projection. */
export type Keys = Readonly<Record<string, readonly string[]>>

interface Found {
  readonly name: string
  readonly columns: readonly TargetColumn[] | null
  readonly key: readonly string[] | null
}

const SHAPES = `select w.name, c.columns, k.key from unnest($1::text[]) as w(name)
  cross join lateral (
    select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'kind',
        case when t.typname in ('json', 'jsonb') then 'json' when t.typelem <> 0 and t.typlen = -1 then 'array'
          when t.typname in ('uuid', 'timestamptz', 'bool', 'int2', 'int4', 'int8', 'float8') then 'bare' else 'plain' end,
        'hashable', exists (select from pg_opclass o join pg_am m on m.oid = o.opcmethod
          where m.amname = 'hash' and o.opcdefault and o.opcintype = t.oid)) order by a.attnum) as columns
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = to_regclass(w.name) and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') c
  cross join lateral (
    select array_agg(a.attname::text order by array_position(i.indkey::int2[], a.attnum)) as key
    from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
    where i.indrelid = to_regclass(w.name) and i.indisprimary) k`

/**
 * The tables of projections as they are in the database.
 *
 * @param suffix what their names there end with
 * @param keys where the tables have no primary keys yet
 * @returns without those that are not there, or have no key
 */
export async function loadTargets(
  db: Db,
  projections: readonly EntityProjection[],
  suffix: string,
  keys: Keys = {},
): Promise<Targets> {
  const owners = projections.flatMap(({ tables }) => Object.entries(tables))
  const names = owners.map(([table]) => `${table}${suffix}`)
  const shapes = await db.rows<Found>(SHAPES, [names])
  const byName = new Map(shapes.map(shape => [shape.name, shape]))
  const targets = new Map<string, Target>()
  for (const [table, owner] of owners) {
    const name = `${table}${suffix}`
    const shape = byName.get(name)
    const key = keys[table] ?? shape?.key
    if (shape?.columns && key)
      targets.set(table, { table, name, columns: shape.columns, key, owner })
  }
  return targets
}

/** Tables as they are in the database, in the order of `tables`. @throws an Error when one is not there or has no primary key */
export async function loadShapes(db: Db, tables: readonly string[]): Promise<Shape[]> {
  const found = await db.rows<Found>(SHAPES, [tables])
  return tables.map(table => {
    const { columns, key } = found.find(({ name }) => name === table) ?? {}
    if (columns && key) return { name: table, columns, key }
    throw new Error(`the projection's table ${table} has no primary key`)
  })
}

/** The primary key of each table. */
export function keysOf(targets: Targets): Map<string, readonly string[]> {
  return new Map([...targets].map(([table, { key }]) => [table, key]))
}

/** What tells rows of one stream apart, by table: the primary key without the column that names the stream, where more is in it. */
export function keysInStream(targets: Targets): Map<string, readonly string[]> {
  return new Map(
    [...targets].map(([table, { key, owner }]) => {
      const rest = key.filter(column => !('column' in owner) || column !== owner.column)
      return [table, rest.length > 0 ? rest : key]
    }),
  )
}
