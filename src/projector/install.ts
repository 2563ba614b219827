import { type Db, one } from '../pg/db.ts'
import { appRole } from '../pg/pool.ts'
import { buildProjection } from './build.ts'
import { nameTables, type Projection, tablesOf } from './define.ts'
import { isInline } from './tables.ts'
import { makeWriters } from './writers.ts'

/**
 * Makes the tables of each projection and the function that writes their rows; builds the rows from the log where a projection is
 * new here or of another version and is written inline. One that follows begins at the log's beginning, and is built by whoever
 * follows. All in one transaction, under the lock of `migrate`.
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
      const { name, version, mode } = projection
      if (isInline(projection)) await buildProjection(inside, projection)
      else await letFollow(inside, projection)
      await inside.rows(RECORD, [name, version, mode])
    }
  })
}

/** Who follows an older version, or has a lease from before, cannot commit any more. */
const RECORD = `insert into checkpoints (kind, name, version, mode, state, epoch, position)
  select 'projection', $1::text, $2::int, $3::text, case when $3::text = 'inline' then 'live' else 'building' end, epoch,
    case when $3::text = 'inline' then position else 0 end from log_head
  on conflict (kind, name) do update
  set version = excluded.version, mode = excluded.mode, state = excluded.state, epoch = excluded.epoch, position = excluded.position,
    lease_token = checkpoints.lease_token + 1, lease_owner = null, lease_until = null, tries = 0, retry_at = null,
    error = null, error_position = null, updated = now()`

/** The role that follows the log may write the tables of projections that follow, and no others. */
export async function letFollow(db: Db, projection: Projection, suffix = ''): Promise<void> {
  const { site } = await one<{ site: string }>(db, 'select current_schema()::text as site')
  for (const table of tablesOf(projection)) {
    await db.script(`grant select, insert, update, delete on ${table}${suffix} to ${appRole(site)}`)
  }
}

async function replaceTables(db: Db, projection: Projection): Promise<void> {
  for (const table of tablesOf(projection)) await db.script(`drop table if exists ${table} cascade`)
  await db.script(nameTables(projection, projection.sql))
}
