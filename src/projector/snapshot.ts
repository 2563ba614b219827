import { type Db, one } from '../pg/db.ts'

/**
 * Makes the transaction one snapshot. The tables that are read are held from before it on: a rebuild swaps tables, and to a snapshot
 * from before that the new one is empty.
 */
export async function beginSnapshot(db: Db, tables: readonly string[]): Promise<void> {
  if (tables.length > 0) await db.script(`lock table ${tables.join(', ')} in access share mode`)
  await db.script('set transaction isolation level repeatable read')
}

/** Does some work in a transaction of another connection that sees the snapshot of this one. */
export async function besideSnapshot<Result>(
  db: Db,
  other: Db,
  work: (beside: Db) => Promise<Result>,
): Promise<Result> {
  const { snapshot } = await one<{ snapshot: string }>(
    db,
    'select pg_export_snapshot() as snapshot',
  )
  return other.transaction(async beside => {
    await beside.script(
      `set transaction isolation level repeatable read; set transaction snapshot '${snapshot}'`,
    )
    return work(beside)
  })
}
