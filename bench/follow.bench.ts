import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT_VIEWER } from '../src/access/viewer.ts'
import { change } from '../src/commands/change.ts'
import { pageAt, revisePage } from '../src/commands/pages.ts'
import { followSite } from '../src/follow-site.ts'
import { type OpenSite, openSite } from '../src/open-site.ts'
import { listStandings } from '../src/projector/standing.ts'
import type { Bench } from './harness.ts'
import { documentOf, fillSite } from './support/http-site.ts'
import { writeLog } from './support/written-log.ts'

/**
 * Question: how fast does the search catch up with a long log, and how far behind saves is it, with notices between processes and
 * without?
 */
const PAGES = 20_000
const REVISIONS = 10
const SAVES_PER_SECOND = 300
const SAVING_MS = 10_000
const SAVED_PAGES = 300

export default async function follow(bench: Bench): Promise<void> {
  await catchUp(bench)
  for (const notices of [true, false]) await lag(bench, notices)
}

async function catchUp(bench: Bench): Promise<void> {
  const site = 'bench'
  const opened = await openSite({ url: bench.url, site })
  await writeLog(bench.url, site, { pages: PAGES, revisions: REVISIONS })
  for (const name of ['search', 'links', 'activity']) {
    const projections = opened.projections.filter(projection => projection.name === name)
    const start = performance.now()
    const following = followSite(
      { projections, wakeups: opened.wakeups },
      { url: bench.url, site, say: bench.say },
    )
    while (!(await isLive(opened, name))) await sleep(50)
    const seconds = (performance.now() - start) / 1000
    await following.stop()
    bench.report({
      case: `catch-up of ${name} over ${PAGES * REVISIONS} events`,
      value: (PAGES * REVISIONS) / seconds,
      unit: 'events/s',
      must: '>= 5000',
    })
  }
  await opened.close()
}

async function isLive({ site }: OpenSite, name: string): Promise<boolean> {
  const standings = await listStandings(site.db)
  return standings.some(it => it.name === name && it.state === 'live' && it.lag === 0)
}

/** Saves in one process and follows in it as another would: all projections, told by NOTIFY only, or not at all. */
async function lag(bench: Bench, notices: boolean): Promise<void> {
  const site = notices ? 'bench_notices' : 'bench_silent'
  const writing = await openSite({ url: bench.url, site })
  const other = await openSite({ url: bench.url, site })
  await fillSite(writing.site, SAVED_PAGES)
  const silent = { subscribe: () => () => {} } as unknown as OpenSite['wakeups']
  const following = followSite(
    { projections: other.projections, wakeups: notices ? other.wakeups : silent },
    { url: bench.url, site, say: bench.say },
  )
  while (!(await isLive(other, 'search'))) await sleep(50)
  const waiting: { position: number; at: number }[] = []
  const lags: number[] = []
  let isWatching = true
  const watching = watch()
  const saved = await save(writing, waiting)
  await sleep(3_000)
  isWatching = false
  await watching
  await following.stop()
  await other.close()
  await writing.close()
  lags.sort((a, b) => a - b)
  if (lags.length < saved) throw new Error(`${saved - lags.length} of ${saved} saves not reached`)
  bench.say(`p50 ${lags[Math.floor(lags.length / 2)]?.toFixed(0)} ms over ${saved} saves`)
  bench.report({
    case: `lag p99 at ${SAVES_PER_SECOND} saves/s, ${notices ? 'with NOTIFY' : 'without'}`,
    value: lags[Math.floor(lags.length * 0.99)] ?? Number.POSITIVE_INFINITY,
    unit: 'ms',
    must: notices ? '<= 500' : '<= 1500',
  })

  async function watch(): Promise<void> {
    while (isWatching) {
      const standings = await listStandings(other.site.db)
      const position = Math.min(
        ...standings.filter(it => it.mode === 'async').map(it => it.position),
      )
      const now = performance.now()
      for (let first = waiting[0]; first && first.position <= position; first = waiting[0]) {
        lags.push(now - first.at)
        waiting.shift()
      }
      await sleep(5)
    }
  }
}

/** Saves at a steady rate, whatever each takes. @returns how many */
async function save(
  { site }: OpenSite,
  waiting: { position: number; at: number }[],
): Promise<number> {
  const author = { viewer: ROOT_VIEWER, door: 'cli' } as const
  const count = (SAVES_PER_SECOND * SAVING_MS) / 1000
  const start = performance.now()
  const saves: Promise<void>[] = []
  for (let n = 0; n < count; n++) {
    const due = start + (n * 1000) / SAVES_PER_SECOND
    if (due > performance.now()) await sleep(due - performance.now())
    const path = `wh.s0.p${1 + (n % (SAVED_PAGES - 1))}`
    saves.push(
      change(site, author, async it => {
        const { sinceId } = await pageAt(it, path)
        await revisePage(it, path, { ifMatch: sinceId ?? '', edit: () => documentOf(n) })
      }).then(({ position }) => {
        if (position === null) return
        waiting.push({ position, at: performance.now() })
        waiting.sort((a, b) => a.position - b.position)
      }),
    )
  }
  await Promise.all(saves)
  return count
}
