import type { Db } from '../pg/db.ts'
import { type EntityProjection, type Projection, tablesOf } from './define.ts'
import { dropTables, NEW, OLD } from './rebuild-plan.ts'

const THERE = `select name from unnest($1::text[]) as t(name) where to_regclass(name) is not null`

/**
 * Takes the rows of a stream out of the tables that are beside the live ones: those that a rebuild has replaced, and those that one
 * under way is filling. What of it is carried on is made anew from the log.
 */
export async function dropStreamAside(
  db: Db,
  projections: readonly EntityProjection[],
  stream: string,
): Promise<void> {
  const columns = new Map<string, string>()
  for (const [table, owner] of projections.flatMap(({ tables }) => Object.entries(tables))) {
    if (!('column' in owner)) continue
    for (const suffix of [OLD, NEW]) columns.set(`${table}${suffix}`, owner.column)
  }
  const there = await db.rows<{ name: string }>(THERE, [[...columns.keys()]])
  for (const { name } of there) {
    await db.rows(`delete from ${name} where ${columns.get(name)} = $1::uuid`, [stream])
  }
}

/** Drops the tables of projections that a rebuild has replaced; it cannot be rolled back then. */
export async function dropReplaced(db: Db, projections: readonly Projection[]): Promise<void> {
  await dropTables(db, projections.flatMap(tablesOf), OLD)
}
