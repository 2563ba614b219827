import { Rm3Error } from '../errors.ts'
import { readHead } from '../log/read.ts'
import type { SiteDatabase } from '../pg/bulk.ts'
import { type Db, one } from '../pg/db.ts'
import { nameTables, type Projection, tablesOf } from './define.ts'
import { grantTables } from './grant-tables.ts'
import { rebuildProjections } from './rebuild.ts'
import { threadsFor } from './threads.ts'
import { makeWriters } from './writers.ts'

/**
 * Makes the tables of each projection and what writes the rows of inline ones. Those that are of another version here or not there are
 * built from the log beside what is, while other processes go on, and swapped in; one that follows and is new begins at the log's
 * beginning and is built by whoever follows. Under the lock of `migrate`.
 *
 * @throws DATABASE_NEWER when a newer rm3 has built one of them
 */
export async function installProjections(
  db: Db,
  projections: readonly Projection[],
  database: SiteDatabase,
): Promise<void> {
  const { begun, changed } = await listChanged(db, projections)
  await db.rows(TABLES, [JSON.stringify(projections.map(tablesNamed))])
  const beside = await db.transaction(async inside => {
    const { position } = await one<{ position: number }>(
      inside,
      'select position from log_head for update',
    )
    for (const projection of position === 0 ? [...begun, ...changed] : begun)
      await begin(inside, projection)
    if (position > 0 && changed.length > 0) return changed
    await makeWriters(inside, projections)
    return []
  })
  if (beside.length === 0) return
  const { position } = await readHead(db)
  await rebuildProjections(database, {
    projections: beside,
    all: projections,
    threads: threadsFor(position),
  })
  await db.transaction(inside => makeWriters(inside, projections))
}

/** Those that were made before their tables were written down. */
const TABLES = `update checkpoints c set tables = array(select json_array_elements_text(t.tables))
  from json_to_recordset($1::json) as t(name text, tables json)
  where c.kind = 'projection' and c.name = t.name and c.tables is null`

function tablesNamed(projection: Projection): { name: string; tables: readonly string[] } {
  return { name: projection.name, tables: tablesOf(projection) }
}

const KNOWN = `select name, version from checkpoints where kind = 'projection'`
const MISSING = `select name from unnest($1::text[]) as t(name) where to_regclass(name) is null`

interface Changed {
  /** Those that follow and are new. */
  readonly begun: readonly Projection[]
  readonly changed: readonly Projection[]
}

async function listChanged(db: Db, projections: readonly Projection[]): Promise<Changed> {
  const known = await db.rows<{ name: string; version: number }>(KNOWN)
  const versions = new Map(known.map(({ name, version }) => [name, version]))
  const rows = await db.rows<{ name: string }>(MISSING, [projections.flatMap(tablesOf)])
  const missing = new Set(rows.map(({ name }) => name))
  for (const { name, version } of projections) {
    const built = versions.get(name)
    if (built !== undefined && built > version) throw newer(name, built, version)
  }
  const isNew = ({ name, mode }: Projection) => mode === 'async' && !versions.has(name)
  const isChanged = (projection: Projection) =>
    versions.get(projection.name) !== projection.version ||
    tablesOf(projection).some(table => missing.has(table))
  return {
    begun: projections.filter(isNew),
    changed: projections.filter(projection => isChanged(projection) && !isNew(projection)),
  }
}

function newer(name: string, built: number, version: number): Rm3Error {
  return new Rm3Error(
    'DATABASE_NEWER',
    `the projection "${name}" is there in version ${built}, and this rm3 has version ${version}; start the rm3 that built it, or a newer one`,
    { projection: name },
  )
}

/** Makes the tables, empty. */
async function begin(db: Db, projection: Projection): Promise<void> {
  for (const table of tablesOf(projection)) await db.script(`drop table if exists ${table} cascade`)
  await db.script(nameTables(projection, projection.sql))
  await grantTables(db, projection)
  const { name, version, mode } = projection
  await db.rows(RECORD, [name, version, mode, tablesOf(projection)])
}

/** Who follows an older version, or has a lease from before, cannot commit any more. */
const RECORD = `insert into checkpoints (kind, name, version, mode, tables, state, epoch, position)
  select 'projection', $1::text, $2::int, $3::text, $4::text[], case when $3::text = 'inline' then 'live' else 'building' end, epoch,
    case when $3::text = 'inline' then position else 0 end from log_head
  on conflict (kind, name) do update
  set version = excluded.version, mode = excluded.mode, tables = excluded.tables, kept = null, state = excluded.state, epoch = excluded.epoch, position = excluded.position,
    lease_token = checkpoints.lease_token + 1, lease_owner = null, lease_until = null, tries = 0, retry_at = null,
    error = null, error_position = null, updated = now()`
