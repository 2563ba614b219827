import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT_VIEWER } from '../src/access/viewer.ts'
import { type Author, change, type Site } from '../src/commands/change.ts'
import { decidePage } from '../src/content/decide-page.ts'
import { openSite } from '../src/open-site.ts'
import { discoverProjections } from '../src/projector/discover.ts'
import { rebuildProjections } from '../src/projector/rebuild.ts'
import type { Bench } from './harness.ts'
import { documentOf, fillSite } from './support/http-site.ts'

/**
 * Question: how long does a save wait at most when projections are swapped under it? Three writers save a hundred times a second each, so
 * that the log stays about as long as it was; held against the same writers without a rebuild.
 */
const WRITERS = 3
const PAUSE_MS = 10
const SWAPS = 20
const NAMES = ['pages', 'page-history', 'tags']
const PAGES = 2_000
const ALONE_MS = 10_000
/** A save that began this long before the end of a rebuild may have waited for its swap. */
const AROUND_MS = 1_000
const AUTHOR: Author = { viewer: ROOT_VIEWER, door: 'api' }

interface Save {
  readonly began: number
  readonly ms: number
}

export default async function swap(bench: Bench): Promise<void> {
  const database = { url: bench.url, site: 'bench' }
  const { site, close } = await openSite(database)
  try {
    await fillSite(site, PAGES)
    const all = await discoverProjections()
    const projections = all.filter(({ name }) => NAMES.includes(name))
    const alone = await savesDuring(site, () => sleep(ALONE_MS))
    const ends: number[] = []
    const under = await savesDuring(site, async () => {
      for (let count = 0; count < SWAPS; count++) {
        await rebuildProjections(database, { projections, all, threads: 2 })
        ends.push(performance.now())
      }
    })
    const atSwaps = under.saves.filter(({ began, ms }) =>
      ends.some(end => began < end && began + ms > end - AROUND_MS),
    )
    const limit = longest(alone.saves)
    bench.report({
      case: `longest save, ${WRITERS} writers, ${SWAPS} swaps`,
      value: longest(atSwaps),
      unit: 'ms',
      must: '<= 150',
    })
    bench.report({ case: 'saves that failed', value: under.failed, unit: 'saves', must: '<= 0' })
    bench.say(
      `longest save without a rebuild ${limit.toFixed(1)} ms; ${under.saves.length} saves during the rebuilds, the longest ${longest(under.saves).toFixed(1)} ms`,
    )
  } finally {
    await close()
  }
}

/** What writers do while some work lasts. */
async function savesDuring(
  site: Site,
  work: () => Promise<unknown>,
): Promise<{ saves: Save[]; failed: number }> {
  const saves: Save[] = []
  let failed = 0
  let isOver = false
  const writer = async () => {
    const id = site.newId()
    for (let turn = 0; !isOver; turn++) {
      const began = performance.now()
      await save(site, id, turn).catch(() => {
        failed++
      })
      saves.push({ began, ms: performance.now() - began })
      await sleep(PAUSE_MS)
    }
  }
  const writers = Array.from({ length: WRITERS }, writer)
  await work()
  isOver = true
  await Promise.all(writers)
  return { saves, failed }
}

async function save(site: Site, id: string, turn: number): Promise<void> {
  await change(site, AUTHOR, async it => {
    const entity = await it.entity(id)
    const document = documentOf(turn)
    it.record(
      entity === null
        ? decidePage(null, {
            type: 'CreatePage',
            id,
            path: `wh.w${id.replaceAll('-', '_')}`,
            document,
          })
        : decidePage(entity, { type: 'RevisePage', document, base: entity.revision }),
    )
  })
}

function longest(saves: readonly Save[]): number {
  return saves.reduce((most, { ms }) => Math.max(most, ms), 0)
}
