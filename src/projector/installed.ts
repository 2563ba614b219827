import type { Db } from '../pg/db.ts'

/** A projection whose tables are there. */
export interface InstalledProjection {
  readonly name: string
  readonly version: number
  /** Position of the log at which its tables were built. */
  readonly builtAt: number
}

const INSTALLED = `select name, version, position as "builtAt" from checkpoints where kind = 'projection' order by name`

/** The projections of the site, by name. */
export async function listInstalled(db: Db): Promise<InstalledProjection[]> {
  return db.rows<InstalledProjection>(INSTALLED)
}
