import { join } from 'node:path'
import { openSite } from '../src/open-site.ts'
import type { Bench } from './harness.ts'
import {
  attachFiles,
  backupSeconds,
  inFolder,
  shellSeconds,
  storesIn,
} from './support/folder-backup.ts'

/** Question: how fast are the files of pages copied, hashed and put on disk by a backup, held against cp and sha256sum? */
const FILES = { count: 128, bytes: 16 * 1024 * 1024 }
const MEGABYTE = 1e6

export default async function blobs(bench: Bench): Promise<void> {
  await inFolder(async folder => {
    const database = { url: bench.url, site: 'bench' }
    const stores = await storesIn(folder)
    const opened = await openSite(database)
    await attachFiles(opened.site, stores, FILES).finally(() => opened.close())
    const seconds = await backupSeconds({ ...database, stores }, join(folder, 'backup'))
    const megabytes = (FILES.count * FILES.bytes) / MEGABYTE
    const copy = join(folder, 'copy')
    const plain = shellSeconds(
      `cp -r '${stores.public.folder}' '${copy}' && find '${copy}' -type f -print0 | xargs -0 sha256sum > /dev/null`,
    )
    bench.report({
      ...{ case: `${Math.round(megabytes)} MB`, value: megabytes / seconds },
      ...{ unit: 'MB/s', must: '>= 150' },
    })
    bench.say(`cp and sha256sum, not waiting for the disk: ${Math.round(megabytes / plain)} MB/s`)
  })
}
