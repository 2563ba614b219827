import type { RestorePart, Secret } from '../../src/backup/restore.ts'
import { readRawLog } from '../../src/log/raw.ts'
import { readHead } from '../../src/log/read.ts'
import { openBulk, type SiteDatabase } from '../../src/pg/bulk.ts'

export const NOTHING = { position: 0, chain: '00'.repeat(32) }

/** The log of a site, or what it has behind a place, as a part to restore: read when it is. */
export async function partOf(
  from: SiteDatabase,
  after = NOTHING,
  secrets: readonly Secret[] = [],
): Promise<RestorePart> {
  const bulk = await openBulk(from)
  const head = await readHead(bulk.db)
  await bulk.close()
  return {
    parent: after,
    head,
    open: async () => ({ secrets, events: eventsOf(from, after.position, head.position) }),
  }
}

async function* eventsOf(from: SiteDatabase, after: number, until: number) {
  const bulk = await openBulk(from)
  try {
    yield* readRawLog(bulk, { after, until })
  } finally {
    await bulk.close()
  }
}
