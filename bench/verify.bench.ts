import { openSite } from '../src/open-site.ts'
import { discoverProjections } from '../src/projector/discover.ts'
import { rebuildProjections } from '../src/projector/rebuild.ts'
import { usualThreads } from '../src/projector/threads.ts'
import { verifyProjections } from '../src/projector/verify.ts'
import type { Bench } from './harness.ts'
import { fillLog } from './support/big-log.ts'

/** Question: how fast is every row of every projection compared with a large log, held against building all of them anew? */
const EVENTS = 1_000_000
const ENTITIES = 50_000

export default async function verify(bench: Bench): Promise<void> {
  const database = { url: bench.url, site: 'bench' }
  const { close } = await openSite(database)
  await close()
  const events = await fillLog(database, { events: EVENTS, entities: ENTITIES })
  const projections = await discoverProjections()
  const threads = usualThreads()
  const rebuilt = await perSecond(events, () =>
    rebuildProjections(database, { projections, all: projections, threads }),
  )
  const verified = await perSecond(events, async () => {
    const { findings } = await verifyProjections(database, { projections, threads })
    if (findings.length > 0) throw new Error(`found: ${JSON.stringify(findings[0])}`)
  })
  bench.report({
    case: `all projections of ${events} events`,
    value: verified,
    unit: 'events/s',
    must: '>= 40000',
  })
  bench.say(`building all of them anew: ${Math.round(rebuilt)} events/s`)
}

async function perSecond(events: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return events / ((performance.now() - start) / 1000)
}
