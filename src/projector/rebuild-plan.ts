import { type Db, find } from '../pg/db.ts'
import { type TableConstraint, type TableIndex, takeIndexes } from '../pg/table-indexes.ts'
import { isPerEntity, nameTables, type Projection, tablesOf } from './define.ts'
import { type Keys, loadTargets, type Targets } from './target.ts'

/** What the names of tables end with that are being built, and of those that a rebuild has replaced. */
export const NEW = '__new'
export const OLD = '__old'

/** What a rebuild is of, kept in the database so that any process can go on with it. */
export interface Plan {
  readonly projections: readonly { readonly name: string; readonly version: number }[]
  readonly tables: readonly string[]
  /** Primary keys, which the tables get only when they are full. */
  readonly keys: Keys
  /** Statements that make the indexes, and then those that make constraints of them. */
  readonly indexes: readonly string[]
  readonly constraints: readonly TableConstraint[]
  /** Whether it is summed up what is written to them: there are no live tables of the same version to compare them with. */
  readonly summed?: boolean
  /** Of a rollback: what the tables hold of the log that take their place again, by projection. */
  readonly kept?: Readonly<Record<string, number>>
}

/**
 * Makes the new tables of projections, empty, and takes their indexes away again: what is loaded goes in faster without. Those of
 * ordered projections keep them, for they are filled with statements.
 *
 * @param before the plan of a rebuild that was not finished and is given up
 */
export async function makeNewTables(
  db: Db,
  projections: readonly Projection[],
  before: Plan | null,
): Promise<Plan> {
  const tables = projections.flatMap(tablesOf)
  await dropTables(db, [...(before?.tables ?? []), ...tables], NEW)
  await dropTables(db, tables, OLD)
  for (const projection of projections) {
    await db.script(nameTables(projection, projection.sql, NEW))
  }
  const perEntity = projections.filter(isPerEntity)
  const targets = await loadTargets(db, perEntity, NEW)
  const indexes: TableIndex[] = []
  for (const table of perEntity.flatMap(tablesOf)) {
    if (!targets.has(table)) throw new Error(`the projection's table ${table} has no primary key`)
    const taken = await takeIndexes(db, `${table}${NEW}`)
    for (const { name } of taken) demandNamed(name, table)
    indexes.push(...taken)
  }
  return {
    projections: projections.map(({ name, version }) => ({ name, version })),
    tables,
    keys: Object.fromEntries([...targets].map(([table, { key }]) => [table, key])),
    indexes: indexes.map(({ definition }) => definition),
    constraints: indexes.flatMap(({ constraint }) => constraint ?? []),
    summed: !(await areBuilt(db, projections)),
  }
}

function demandNamed(index: string, table: string): void {
  if (index.startsWith(`${table}${NEW}`)) return
  throw new Error(`the index or constraint ${index} must be named {${table}}_…`)
}

const VERSIONS = `select name, version from checkpoints where kind = 'projection'`

/** Whether there are live tables of projections in the versions that they have here. */
export async function areBuilt(db: Db, projections: readonly Projection[]): Promise<boolean> {
  const versions = await db.rows<{ name: string; version: number }>(VERSIONS)
  return projections.every(({ name, version }) =>
    versions.some(known => known.name === name && known.version === version),
  )
}

/** The new tables of those projections that are made stream by stream. */
export async function newTargets(
  db: Db,
  projections: readonly Projection[],
  { keys }: Plan,
): Promise<Targets> {
  return loadTargets(db, projections.filter(isPerEntity), NEW, keys)
}

/** Drops those of the tables that are there under names with a suffix. */
export async function dropTables(db: Db, tables: readonly string[], suffix: string): Promise<void> {
  for (const table of new Set(tables)) {
    await db.script(`drop table if exists ${table}${suffix} cascade`)
  }
}

/** The rebuild that is under way, or the last. */
export interface RebuildRow {
  readonly phase: 'load' | 'follow' | 'done'
  readonly plan: Plan
  readonly epoch: string
  readonly loadedTo: number
  readonly position: number
  readonly orderedTo: number
  /** New tables that did not hold what was written to them; null until they were looked at. */
  readonly altered: readonly string[] | null
}

const ROW = `select phase, plan, epoch, loaded_to as "loadedTo", position, ordered_to as "orderedTo", altered from rebuilds`

/** The rebuild that is under way, or the last; null before the first. */
export async function findRebuild(db: Db): Promise<RebuildRow | null> {
  return find<RebuildRow>(db, ROW)
}

/** As `findRebuild`, where there must be one. */
export async function currentRebuild(db: Db): Promise<RebuildRow> {
  const row = await findRebuild(db)
  if (row === null) throw new Error('the rebuild under way is not there any more')
  return row
}

/** Whether a projection is one of those that are being rebuilt. */
export function isIn({ plan }: RebuildRow): (projection: Projection) => boolean {
  return ({ name, version }) =>
    plan.projections.some(planned => planned.name === name && planned.version === version)
}

/** Whether what was left half done is of just these projections. */
export function canGoOn(left: RebuildRow, projections: readonly Projection[]): boolean {
  if (left.phase === 'done') return false
  const { length } = projections.filter(isIn(left))
  return length === projections.length && length === left.plan.projections.length
}
