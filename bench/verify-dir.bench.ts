import { join } from 'node:path'
import { verifyFolder } from '../src/backup/folder/verify.ts'
import { openSite } from '../src/open-site.ts'
import { discoverProjections } from '../src/projector/discover.ts'
import { rebuildProjections } from '../src/projector/rebuild.ts'
import type { Bench } from './harness.ts'
import { fillLog } from './support/big-log.ts'
import {
  attachFiles,
  backupSeconds,
  inFolder,
  shellSeconds,
  storesIn,
} from './support/folder-backup.ts'

/** Question: how fast is a backup in a folder read and proved whole, held against sha256sum of its files? */
const EVENTS = 200_000
const ENTITIES = 20_000
const FILES = { count: 128, bytes: 16 * 1024 * 1024 }
const MEGABYTE = 1e6

export default async function verifyDir(bench: Bench): Promise<void> {
  await inFolder(async folder => {
    const database = { url: bench.url, site: 'bench' }
    const { close } = await openSite(database)
    await close()
    await fillLog(database, { events: EVENTS, entities: ENTITIES })
    const all = await discoverProjections()
    await rebuildProjections(database, { projections: all, all, threads: 0 })
    const stores = await storesIn(folder)
    const opened = await openSite(database)
    await attachFiles(opened.site, stores, FILES).finally(() => opened.close())
    const dir = join(folder, 'backup')
    await backupSeconds({ ...database, stores }, dir)
    const start = performance.now()
    const { bytes, findings } = await verifyFolder(dir)
    const seconds = (performance.now() - start) / 1000
    if (findings.length > 0) throw new Error(`found: ${JSON.stringify(findings[0])}`)
    const sums = shellSeconds(
      `cd '${dir}' && find . -type f -print0 | xargs -0 sha256sum > /dev/null`,
    )
    bench.report({
      ...{ case: `${Math.round(bytes / MEGABYTE)} MB`, value: bytes / MEGABYTE / seconds },
      ...{ unit: 'MB/s', must: '>= 150' },
    })
    bench.say(`sha256sum: ${Math.round(bytes / MEGABYTE / sums)} MB/s`)
  })
}
