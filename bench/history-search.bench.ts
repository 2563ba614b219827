import { ROOT_VIEWER } from '../src/access/viewer.ts'
import { type Author, change, type Site } from '../src/commands/change.ts'
import { decidePage } from '../src/content/decide-page.ts'
import type { Document } from '../src/content/document.ts'
import { openSite } from '../src/open-site.ts'
import { one } from '../src/pg/db.ts'
import { discoverProjections } from '../src/projector/discover.ts'
import { rebuildProjections } from '../src/projector/rebuild.ts'
import { usualThreads } from '../src/projector/threads.ts'
import { searchHistory } from '../src/queries/search-history.ts'
import { type Bench, load } from './harness.ts'
import { fillLog } from './support/big-log.ts'

/**
 * Questions: how long does it take to find when a sentence came and went, one that few pages ever had and one that all have? And what does the index take on disk?
 */
/** `RM3_BENCH_EVENTS` gives another size, to see how times grow. */
const EVENTS = 1_000_000
const EVENTS_EACH = 20
const NAMES = ['pages', 'page-history', 'keyframes', 'wordings']
const FOR_MS = 3_000
const AUTHOR: Author = { viewer: ROOT_VIEWER, door: 'import' }

export default async function historySearch(bench: Bench): Promise<void> {
  const events = Number(process.env['RM3_BENCH_EVENTS'] ?? EVENTS)
  const database = { url: bench.url, site: 'bench' }
  await (await openSite(database)).close()
  const written = await fillLog(database, { events, entities: events / EVENTS_EACH })
  const opened = await openSite(database)
  await rarePage(opened.site)
  await opened.close()
  const all = await discoverProjections()
  const projections = all.filter(({ name }) => NAMES.includes(name))
  await rebuildProjections(database, { projections, all, threads: usualThreads() })
  const { site, close } = await openSite(database)
  try {
    const queries = {
      'in one page': 'a heron stood in the mill race',
      'in a fortieth of all pages': 'text about it, 7.11',
      'in a twentieth of all changes': 'as turn 17 has it',
      'in all of them': 'The quick brown fox jumps over the lazy dog',
      'with words that are never so together': 'dog lazy the over',
    }
    for (const [name, words] of Object.entries(queries)) {
      const search = () =>
        searchHistory(site, ROOT_VIEWER, { words, under: null }, { limit: 20, after: null })
      const { items } = await search()
      const { p50, p99 } = await load(1, FOR_MS, async () => void (await search()))
      const told = `${written} revisions, a sentence ${name}, p50`
      bench.report({ case: told, value: p50, unit: 'ms', must: '<= 1000' })
      bench.say(`${items.length} pages, p99 ${p99.toFixed(0)} ms`)
    }
    const { table, words, log } = await one<{ table: number; words: number; log: number }>(
      site.db,
      `select pg_table_size('wordings') as table, pg_indexes_size('wordings') as words, pg_total_relation_size('log') as log`,
    )
    const mb = (bytes: number) => (bytes / 1e6).toFixed(0)
    bench.say(`wordings: ${mb(table)} MB and ${mb(words)} MB of indexes; the log: ${mb(log)} MB`)
  } finally {
    await close()
  }
}

/** A page that says something that no other does, and then no longer. */
async function rarePage(site: Site): Promise<void> {
  const id = site.newId()
  for (const source of ['At dawn a heron stood in the mill race. It was cold.', 'It was cold.']) {
    await change(site, AUTHOR, async it => {
      const entity = await it.entity(id)
      const document: Document = {
        ...{ proto: 'base', hidden: false, summary: { title: 'Heron', abstract: '' } },
        ...{ data: { posting: { format: 'markdown', source } }, tags: {} },
      }
      it.record(
        entity === null
          ? decidePage(null, { type: 'CreatePage', id, path: 'wh.rare', document })
          : decidePage(entity, { type: 'RevisePage', document, base: entity.revision }),
      )
    })
  }
}
