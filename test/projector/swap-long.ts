import { parseArgs } from 'node:util'
import { discoverProjections } from '../../src/projector/discover.ts'
import { TEST_SITE, testSite } from '../support/database.ts'
import { fillSite } from './damage-runs.ts'
import { swapRuns } from './swap-runs.ts'

const SEED = 6

/** What `npm run swaps` does: so many swaps in one site, under three processes that write. @throws when a row is wrong or a request fails */
export async function runSwaps(words: string[], say: (line: string) => void): Promise<void> {
  const { values } = parseArgs({
    args: words,
    options: { swaps: { type: 'string', default: '60' } },
  })
  const open = await testSite()
  try {
    await fillSite(open, SEED)
    const database = { url: open.url, site: TEST_SITE }
    const swaps = Number(values.swaps)
    const saves = await swapRuns(database, await discoverProjections(), swaps)
    say(`${swaps} swaps under ${saves} saves: no wrong row, no failed request`)
  } finally {
    await open.close()
  }
}
