/** `rebuild-process URL POINT`: rebuilds all projections and dies at a point, as if the machine had stopped. */
import { discoverProjections } from '../../src/projector/discover.ts'
import { rebuildProjections } from '../../src/projector/rebuild.ts'
import { TEST_SITE } from '../support/database.ts'

const [url = '', point] = process.argv.slice(2)
const all = await discoverProjections()
await rebuildProjections(
  { url, site: TEST_SITE },
  {
    ...{ projections: all, all, threads: 0 },
    reached: reached => {
      if (reached === point) process.kill(process.pid, 'SIGKILL')
    },
  },
)
