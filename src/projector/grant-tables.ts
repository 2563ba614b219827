import { type Db, one } from '../pg/db.ts'
import { appRole } from '../pg/pool.ts'
import { type Projection, tablesOf } from './define.ts'

/** The role that the server runs as may read a projection's tables, and write those of one that follows the log. */
export async function grantTables(db: Db, projection: Projection): Promise<void> {
  const { site } = await one<{ site: string }>(db, 'select current_schema()::text as site')
  const rights = projection.mode === 'async' ? 'select, insert, update, delete' : 'select'
  await db.script(`grant ${rights} on ${tablesOf(projection).join(', ')} to ${appRole(site)}`)
}
