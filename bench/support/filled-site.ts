import { openSite } from '../../src/open-site.ts'
import type { SiteDatabase } from '../../src/pg/bulk.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { rebuildProjections } from '../../src/projector/rebuild.ts'
import { usualThreads } from '../../src/projector/threads.ts'
import { fillLog } from './big-log.ts'

/** Makes a site with a log as `fillLog` makes it, and all projections built from it. @returns how many events it has */
export async function fillSite(
  database: SiteDatabase,
  size: { events: number; entities: number },
): Promise<number> {
  await (await openSite(database)).close()
  const events = await fillLog(database, size)
  const all = await discoverProjections()
  await rebuildProjections(database, { projections: all, all, threads: usualThreads() })
  return events
}
