import { copyQuery } from '../src/log/copy.ts'
import { openSite } from '../src/open-site.ts'
import { openBulk, type SiteDatabase } from '../src/pg/bulk.ts'
import { one } from '../src/pg/db.ts'
import { discoverProjections } from '../src/projector/discover.ts'
import { rebuildProjections } from '../src/projector/rebuild.ts'
import { usualThreads } from '../src/projector/threads.ts'
import type { Bench } from './harness.ts'
import { fillLog } from './support/big-log.ts'
import { naiveRebuild } from './support/naive-rebuild.ts'

/**
 * Question: how fast are pages, page-history and tags built anew from a large log, to the end: loaded, indexed, durable, compared with the
 * live tables and swapped in? Held against the cheapest thing that sees every event: COPY of the same rows, read in node and thrown
 * away.
 */
const EVENTS = 1_000_000
const ENTITIES = 50_000
const NAMES = ['pages', 'page-history', 'tags']
const NAIVE_EVENTS = 10_000

export default async function rebuild(bench: Bench): Promise<void> {
  const database = { url: bench.url, site: 'bench' }
  const { close } = await openSite(database)
  await close()
  const events = await fillLog(database, { events: EVENTS, entities: ENTITIES })
  const all = await discoverProjections()
  const projections = all.filter(({ name }) => NAMES.includes(name))
  const options = { projections, all, threads: usualThreads() }
  await rebuildProjections(database, options) // fills the live tables, which the next one is compared with
  const limit = await copied(database, events)
  const phases: string[] = []
  const start = performance.now()
  const { drift } = await rebuildProjections(database, {
    ...options,
    reached: point => phases.push(`${point} ${((performance.now() - start) / 1000).toFixed(1)} s`),
  })
  const perSecond = events / ((performance.now() - start) / 1000)
  if (drift === null || drift.length > 0) throw new Error(`drift: ${JSON.stringify(drift)}`)
  bench.say(phases.join(', '))
  bench.report({ case: `${events} events`, value: perSecond, unit: 'events/s', must: '>= 60000' })
  bench.report({
    case: `${events} events, ratio`,
    value: perSecond,
    unit: 'events/s',
    limit,
    limitName: 'events/s of COPY',
    must: '>= 0.15',
  })
  const naive = await naiveRebuild(database, projections, NAIVE_EVENTS)
  bench.say(
    `one event, one statement, over the first ${NAIVE_EVENTS} events: ${Math.round(naive)} events/s`,
  )
}

async function copied(database: SiteDatabase, events: number): Promise<number> {
  const bulk = await openBulk(database)
  try {
    await one(bulk.db, 'select sum(length(data::text)) from log') // into the cache, as far as it fits
    const start = performance.now()
    let characters = 0
    for await (const chunk of bulk.copyOut(copyQuery())) characters += chunk.length
    if (characters < events) throw new Error('the log was not copied')
    return events / ((performance.now() - start) / 1000)
  } finally {
    await bulk.close()
  }
}
