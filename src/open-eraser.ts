import type { BlobStores } from './blobs/store.ts'
import type { Eraser } from './commands/erase.ts'
import type { OpenSite } from './open-site.ts'
import type { SiteDatabase } from './pg/bulk.ts'

/**
 * What erases on a site that is open.
 *
 * @param database with a user who owns the schema
 * @param stores where the bytes of its files are
 */
export function eraserOf(open: OpenSite, database: SiteDatabase, stores: BlobStores): Eraser {
  const { site, projections, wakeups } = open
  return {
    ...{ database, site, projections, stores },
    appended: position => wakeups.appended(position),
  }
}
