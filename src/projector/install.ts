import type { Db } from '../pg/db.ts'
import { buildProjection } from './build.ts'
import { isPerEntity, nameTables, type Projection, tablesOf } from './define.ts'
import { makeWriters } from './writers.ts'

/**
 * Makes the tables of each projection and the function that writes their rows; builds the rows from the log where a projection is
 * new here or of another version. All in one transaction, under the lock of `migrate`.
 */
export async function installProjections(
  db: Db,
  projections: readonly Projection[],
): Promise<void> {
  await db.transaction(async inside => {
    const known = await inside.rows<{ name: string; version: number }>(
      `select name, version from checkpoints where kind = 'projection'`,
    )
    const versions = new Map(known.map(({ name, version }) => [name, version]))
    const changed = projections.filter(({ name, version }) => versions.get(name) !== version)
    if (changed.length > 0) await inside.rows('select from log_head for update')
    for (const projection of changed) await replaceTables(inside, projection)
    await makeWriters(inside, projections)
    for (const projection of changed) {
      if (isPerEntity(projection)) await buildProjection(inside, projection)
      await inside.rows(RECORD, [projection.name, projection.version])
    }
  })
}

const RECORD = `insert into checkpoints (kind, name, version, state, epoch, position)
  select 'projection', $1::text, $2::int, 'live', epoch, position from log_head
  on conflict (kind, name) do update
  set version = excluded.version, state = excluded.state, epoch = excluded.epoch, position = excluded.position, updated = now()`

async function replaceTables(db: Db, projection: Projection): Promise<void> {
  for (const table of tablesOf(projection)) await db.script(`drop table if exists ${table} cascade`)
  await db.script(nameTables(projection, projection.sql))
}
