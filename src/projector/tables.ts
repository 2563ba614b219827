import { type Db, one } from '../pg/db.ts'
import { type EntityProjection, isPerEntity, type Projection, tablesOf } from './define.ts'
import type { InlineProjections } from './inline.ts'

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
  return { projections, keys, versions: versionsOf(projections) }
}

/** Whether a projection is written in the append's transaction. */
export function isInline(projection: Projection): projection is EntityProjection {
  return projection.mode === 'inline' && isPerEntity(projection)
}

/** Names and versions of projections in one text, to see whether two processes have the same. */
export function versionsOf(projections: readonly EntityProjection[]): string {
  return projections.map(({ name, version }) => `${name} ${version}`).join(', ')
}

/** A table's columns, without those that it computes itself, their types, and the columns of its primary key, in order. */
export interface Shape {
  readonly columns: string[]
  readonly types: string[]
  readonly key: string[]
}

const SHAPE = `select
  array(select attname::text from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum) as columns,
  array(select format_type(atttypid, atttypmod) from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum) as types,
  array(select a.attname::text from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
    where i.indrelid = $1::regclass and i.indisprimary order by array_position(i.indkey::int2[], a.attnum)) as key`

/** @throws an Error when it has no primary key */
export async function shapeOf(db: Db, table: string): Promise<Shape> {
  const shape = await one<Shape>(db, SHAPE, [table])
  if (shape.key.length === 0) throw new Error(`the projection's table ${table} has no primary key`)
  return shape
}
