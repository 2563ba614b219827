import { join } from 'node:path'
import { openSite } from '../src/open-site.ts'
import type { Bench } from './harness.ts'
import { fillLog } from './support/big-log.ts'
import { inFolder } from './support/folder-backup.ts'
import { inProcess, type Job } from './support/measured-process.ts'

/**
 * Question: how much memory does each process take that goes through a whole log: one that builds all projections anew, compares them with the log,
 * writes an archive, proves it, loads it into another site?
 */
/** `RM3_BENCH_EVENTS` gives another size, to see that memory does not grow with it. */
const EVENTS = 200_000
const EVENTS_EACH = 10
const MEGABYTE = 1024 * 1024
const WORKS: readonly (readonly [Job['work'], `<= ${number}`])[] = [
  ['rebuild', '<= 300'],
  ['check', '<= 300'],
  ['backup', '<= 256'],
  ['verify', '<= 256'],
  ['load', '<= 256'],
]

export default async function memory(bench: Bench): Promise<void> {
  const wanted = Number(process.env['RM3_BENCH_EVENTS'] ?? EVENTS)
  const database = { url: bench.url, site: 'bench' }
  await (await openSite(database)).close()
  const events = await fillLog(database, { events: wanted, entities: wanted / EVENTS_EACH })
  await inFolder(async folder => {
    const file = join(folder, 'site.rm3')
    for (const [work, must] of WORKS) {
      const site = work === 'load' ? 'loaded' : database.site
      const { peakBytes, seconds } = await inProcess({ work, url: bench.url, site, file })
      bench.report({
        ...{ case: `${work} of ${events} events`, value: peakBytes / MEGABYTE, unit: 'MB', must },
      })
      bench.say(`${work} took ${seconds.toFixed(1)} s`)
    }
  })
}
