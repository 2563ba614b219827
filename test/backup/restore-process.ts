/** `restore-process FROM TO POINT`: restores the site of one database into another and dies at a point, as if the machine had stopped. */
import { restoreSite } from '../../src/backup/restore.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { TEST_SITE } from '../support/database.ts'
import { partOf } from '../support/site-copy.ts'

const [from = '', to = '', point] = process.argv.slice(2)
const part = await partOf({ url: from, site: TEST_SITE })
await restoreSite({ url: to, site: TEST_SITE }, [part], {
  projections: await discoverProjections(),
  allowUnsafe: true,
  reached: reached => {
    if (reached === point) process.kill(process.pid, 'SIGKILL')
  },
})
