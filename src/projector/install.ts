import { type Db, find } from '../pg/db.ts'
import { buildProjection } from './build.ts'
import type { Projection } from './define.ts'
import { makeWriters } from './tables.ts'

/**
 * Makes the tables of each projection and the functions that write their rows; builds the rows from the log when the projection is
 * new here or of another version. Runs under the lock of `migrate`.
 */
export async function installProjections(
  db: Db,
  projections: readonly Projection[],
): Promise<void> {
  for (const projection of projections) {
    await db.transaction(inside => install(inside, projection))
  }
}

async function install(db: Db, projection: Projection): Promise<void> {
  const known = await find<{ version: number }>(
    db,
    'select version from projections where name = $1::text',
    [projection.name],
  )
  if (known?.version === projection.version) {
    for (const table of projection.tables) await makeWriters(db, table)
    return
  }
  await db.rows('select from log_head for update')
  await replaceTables(db, projection)
  await buildProjection(db, projection)
  await db.rows(RECORD, [projection.name, projection.version])
}

const RECORD = `insert into projections (name, version, position)
  select $1::text, $2::int, position from log_head
  on conflict (name) do update set version = excluded.version, position = excluded.position`

async function replaceTables(db: Db, projection: Projection): Promise<void> {
  for (const table of projection.tables) {
    await db.script(`drop table if exists ${table} cascade`)
  }
  await db.script(projection.sql)
  for (const table of projection.tables) await makeWriters(db, table)
}
