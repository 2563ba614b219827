import { join } from 'node:path'
import { openSite } from '../src/open-site.ts'
import type { Bench } from './harness.ts'
import { fillLog } from './support/big-log.ts'
import { backupSeconds, inFolder, storesIn } from './support/folder-backup.ts'

/** Question: how fast is the log of a site written into a folder, one file to a page, each on disk? */
const EVENTS = 200_000
const ENTITIES = 20_000

export default async function backupDir(bench: Bench): Promise<void> {
  await inFolder(async folder => {
    const database = { url: bench.url, site: 'bench' }
    const { close } = await openSite(database)
    await close()
    const events = await fillLog(database, { events: EVENTS, entities: ENTITIES })
    const source = { ...database, stores: await storesIn(folder) }
    const seconds = await backupSeconds(source, join(folder, 'backup'))
    bench.report({
      ...{ case: `${events} revisions of ${ENTITIES} pages`, value: events / seconds },
      ...{ unit: 'revisions/s', must: '>= 15000' },
    })
  })
}
