import { parseArgs } from 'node:util'
import { discoverProjections } from '../../src/projector/discover.ts'
import { TEST_SITE, testSite } from '../support/database.ts'
import { damageRuns, fillSite } from './damage-runs.ts'

const RUNS_PER_SITE = 50

/** What `npm run damage` does: so many runs from a seed on, a site for every fifty. @throws at the first that fails */
export async function runDamage(words: string[], say: (line: string) => void): Promise<void> {
  const { values } = parseArgs({
    args: words,
    options: {
      runs: { type: 'string', default: '500' },
      seed: { type: 'string', default: '1' },
    },
  })
  const first = Number(values.seed)
  const end = first + Number(values.runs)
  for (let seed = first; seed < end; seed += RUNS_PER_SITE) {
    const open = await testSite()
    try {
      await fillSite(open, seed)
      const count = Math.min(RUNS_PER_SITE, end - seed)
      const seeds = Array.from({ length: count }, (_, n) => seed + n)
      await damageRuns({ url: open.url, site: TEST_SITE }, await discoverProjections(), seeds)
      say(`${seed + count - first} runs: each damage found and repaired, nothing falsely reported`)
    } finally {
      await open.close()
    }
  }
}
