import type { BlobStores } from '../../src/blobs/store.ts'
import { workerCommands } from '../../src/jobs/commands.ts'
import type { RunContext } from '../../src/jobs/define.ts'
import type { TestSite } from './database.ts'

const NO_STORES: BlobStores = { public: { folder: '' }, private: { folder: '' } }

const NO_SCRUB = async () => ({
  ...{ events: 0, differences: 0, roundDone: false, roundStarted: '2026-01-01T00:00:00.000Z' },
})

/** What a worker's run gets, for one that is called in a test. */
export function runContext(
  { site }: Pick<TestSite, 'site'>,
  given: Partial<RunContext> = {},
): RunContext {
  return {
    ...{
      db: site.db,
      commands: workerCommands(site, 'test', { scrub: NO_SCRUB, program: async () => null }),
      blobs: NO_STORES,
      now: site.now,
    },
    ...{ signal: AbortSignal.timeout(60_000), dryRun: false, say: () => {}, progress: () => {} },
    ...given,
  }
}
