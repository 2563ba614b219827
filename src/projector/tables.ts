import type { Db } from '../pg/db.ts'
import { type EntityProjection, isPerEntity, type Projection, tablesOf } from './define.ts'
import type { InlineProjections } from './inline.ts'
import { loadShapes } from './target.ts'

/** Those of the projections that are written in the append's transaction, with their tables' primary keys, as `RowSet` needs them. */
export async function loadInline(
  db: Db,
  projections: readonly Projection[],
): Promise<InlineProjections> {
  return loadRowKeys(db, projections.filter(isInline))
}

/** Projections with the primary keys of their tables, as `RowSet` needs them. @throws an Error when a table has none, or is not there */
export async function loadRowKeys(
  db: Db,
  projections: readonly EntityProjection[],
): Promise<InlineProjections> {
  const shapes = await loadShapes(db, projections.flatMap(tablesOf))
  const keys = new Map(shapes.map(({ name, key }) => [name, key]))
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
