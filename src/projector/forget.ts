import { Rm3Error } from '../errors.ts'
import { type Db, find } from '../pg/db.ts'
import { type Projection, tablesOf } from './define.ts'
import { NEW, OLD } from './rebuild-plan.ts'

/** What is left of a projection whose definition is gone. */
export interface Remains {
  /** Tables, also those that a rebuild kept or left half made. */
  readonly tables: readonly string[]
  /** Whether it is known which they are: not of one that has gone before they were written down. */
  readonly isKnown: boolean
}

interface Row {
  readonly tables: readonly string[] | null
  readonly owner: string | null
}

const ROW = `select tables, case when lease_until > now() then lease_owner end as owner
  from checkpoints where kind = 'projection' and name = $1::text for update`
const FOUND = `select name from unnest($1::text[]) as t(name) where to_regclass(name) is not null`

/**
 * What `forgetProjection` would drop.
 *
 * @param known the projections that are there
 * @throws PROJECTION_NOT_FOUND, PROJECTION_STATE when it is there or some process follows it
 */
export async function findRemains(
  db: Db,
  name: string,
  known: readonly Projection[],
): Promise<Remains> {
  const row = await find<Row>(db, ROW, [name])
  if (row === null) {
    throw new Rm3Error('PROJECTION_NOT_FOUND', `there is no projection "${name}"`, { name })
  }
  if (known.some(projection => projection.name === name)) throw refused(name, 'it is there')
  if (row.owner !== null) throw refused(name, `${row.owner} follows it`)
  const others = new Set(known.flatMap(tablesOf))
  const own = (row.tables ?? []).filter(table => !others.has(table))
  const names = own.flatMap(table => [table, `${table}${OLD}`, `${table}${NEW}`])
  const found = await db.rows<{ name: string }>(FOUND, [names])
  return { tables: found.map(table => table.name), isKnown: row.tables !== null }
}

const FORGET = `with skipped as (delete from skipped_events where name = $1::text)
  delete from checkpoints where kind = 'projection' and name = $1::text`

/** Drops what is left of a projection that is not there any more. @throws what `findRemains` throws */
export async function forgetProjection(
  db: Db,
  name: string,
  known: readonly Projection[],
): Promise<Remains> {
  return db.transaction(async inside => {
    const remains = await findRemains(inside, name, known)
    const { tables } = remains
    if (tables.length > 0) await inside.script(`drop table ${tables.join(', ')} cascade`)
    await inside.rows(FORGET, [name])
    return remains
  })
}

function refused(name: string, why: string): Rm3Error {
  return new Rm3Error('PROJECTION_STATE', `the projection "${name}" cannot be forgotten: ${why}`, {
    name,
  })
}
