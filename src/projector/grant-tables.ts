import { type Db, one } from '../pg/db.ts'
import { appRole } from '../pg/pool.ts'
import { type Projection, tablesOf } from './define.ts'

/**
 * The role that the server runs as may read a projection's tables, and write those of one that follows the log.
 *
 * @param suffix what the tables' names end with
 */
export async function grantTables(db: Db, projection: Projection, suffix = ''): Promise<void> {
  const { site } = await one<{ site: string }>(db, 'select current_schema()::text as site')
  const rights = projection.mode === 'async' ? 'select, insert, update, delete' : 'select'
  const tables = tablesOf(projection).map(table => `${table}${suffix}`)
  await db.script(`grant ${rights} on ${tables.join(', ')} to ${appRole(site)}`)
}
