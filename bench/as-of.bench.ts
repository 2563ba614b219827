import { openSite } from '../src/open-site.ts'
import { type Db, one } from '../src/pg/db.ts'
import { discoverProjections } from '../src/projector/discover.ts'
import { rebuildProjections } from '../src/projector/rebuild.ts'
import { usualThreads } from '../src/projector/threads.ts'
import type { Bench } from './harness.ts'
import { fillLog } from './support/big-log.ts'
import { deepPage } from './support/deep-page.ts'
import type { Result } from './support/http-load.ts'
import { CONNECTIONS, type HttpSite, httpSite } from './support/http-site.ts'

/**
 * Questions: what does a page, a listing and the whole tree cost as of a random instant, against the same now? And does reading a revision
 * of a page with 10,000 of them depend on how deep it is? `RM3_BENCH_REVISIONS` makes the log of another length; a tenth are pages.
 */
const REVISIONS = Number(process.env['RM3_BENCH_REVISIONS'] ?? 1_000_000)
const REVISIONS_OF_PAGE = 10
const DEEP_REVISIONS = 10_000
const DEEP = 'wh.deep'
const URLS = 1_000
const SITE = 'bench'

export default async function asOf(bench: Bench): Promise<void> {
  const events = await fill(bench.url)
  const http = await httpSite(bench)
  try {
    await deepPage(http.site, DEEP, DEEP_REVISIONS)
    await http.settle()
    await pages(bench, http, events)
    await deep(bench, http)
    await lists(bench, http, events)
    await tree(bench, http.site.db, events)
  } finally {
    await http.close()
  }
}

/** A site with a long log, all of its inline projections built. @returns the last position */
export async function fill(url: string): Promise<number> {
  const database = { url, site: SITE }
  const { close } = await openSite(database)
  await close()
  const entities = Math.round(REVISIONS / REVISIONS_OF_PAGE)
  const events = await fillLog(database, { events: REVISIONS, entities })
  const all = await discoverProjections()
  const projections = all.filter(({ mode }) => mode === 'inline')
  await rebuildProjections(database, { projections, all, threads: usualThreads() })
  return events
}

/** Pages that were live at random positions, with the instants of these. Two calls of random() in one level may be made one. */
const MOMENTS = `select was.path, now.path as now, l.recorded_at as at from (
    select (1 + random() * ($1::bigint - 1))::bigint as position, entity_id, path from pages order by md5(entity_id::text) limit $2::int) now
  join lateral (select * from page_history h where h.entity_id = now.entity_id and h.from_position > 0 and h.from_position <= now.position
    order by h.from_position desc limit 1) was on was.state = 'live'
  join log l on l.position = now.position`

export async function pages(bench: Bench, http: HttpSite, events: number): Promise<void> {
  const moments = await http.site.db.rows<{ path: string; now: string; at: string }>(MOMENTS, [
    ...[events, 2 * URLS],
  ])
  const api = `${http.url}/api/pages`
  const { now, past } = await inTurn(http, {
    now: moments.map(({ now }) => `${api}/${now}`),
    past: moments.map(({ path, at }) => `${api}/${path}?at=${at}`),
  })
  bench.report({
    case: `page at random instants, ${CONNECTIONS} connections`,
    value: past.perSecond,
    unit: 'requests/s',
    limit: now.perSecond,
    limitName: 'the same pages now, requests/s',
    must: '>= 0.6',
  })
  bench.say(`page p50 / p99 ms: then ${ms(past)}, now ${ms(now)}`)
}

export async function deep(bench: Bench, http: HttpSite): Promise<void> {
  const page = `${http.url}/api/pages/${DEEP}`
  const urls = Array.from({ length: 500 }, (_, n) => {
    return `${page}?at=revision:${1 + ((n * 7919) % DEEP_REVISIONS)}`
  })
  const now = await http.load({ urls: [page], connections: 1 })
  const then = await http.load({ urls, connections: 1 })
  demandAnswers(now, then)
  const common = { unit: 'ms', limitName: 'the head, ms' } as const
  bench.report({
    ...{ ...common, case: `any of ${DEEP_REVISIONS} revisions, p50`, value: then.p50 },
    ...{ limit: now.p50, must: '<= 2' },
  })
  bench.report({
    ...{ ...common, case: `any of ${DEEP_REVISIONS} revisions, p99`, value: then.p99 },
    ...{ limit: now.p99, must: '<= 3' },
  })
}

/** Parents with children now, and random instants of the later half of the log, when they had fifty. */
const LISTS = `select p.parent, l.recorded_at as at from (
    select parent from pages where parent is not null group by parent having count(*) >= 50) p
  cross join generate_series(1, 25)
  join lateral (select ($1::bigint / 2 + random() * $1::bigint / 2)::bigint as position, p.parent) r on true
  join log l on l.position = r.position limit $2::int`

export async function lists(bench: Bench, http: HttpSite, events: number): Promise<void> {
  const asked = await http.site.db.rows<{ parent: string; at: string }>(LISTS, [events, URLS])
  const url = (parent: string) => `${http.url}/api/pages?limit=50&parent=${parent}`
  const { now, past } = await inTurn(http, {
    now: asked.map(({ parent }) => url(parent)),
    past: asked.map(({ parent, at }) => `${url(parent)}&at=${at}`),
  })
  bench.report({
    case: `50 children at random instants, ${CONNECTIONS} connections`,
    value: past.perSecond,
    unit: 'requests/s',
    limit: now.perSecond,
    limitName: 'the same listings now, requests/s',
    must: '>= 0.5',
  })
  bench.say(`list p50 / p99 ms: then ${ms(past)}, now ${ms(now)}`)
}

const TREE_THEN = `select entity_id, title from headings where from_position <= $1::bigint and until_position > $1::bigint`
const TREE_NOW = 'select entity_id, title from pages'
const SIZES = `select pg_total_relation_size('headings') as headings, pg_total_relation_size('page_history') as history,
  pg_total_relation_size('log') as log, (select count(*) from headings) as rows, (select count(*) from page_history) as states`

export async function tree(bench: Bench, db: Db, events: number): Promise<void> {
  const times: number[] = []
  for (let n = 1; n <= 9; n++)
    times.push(await timeOf(db, TREE_THEN, [Math.round((events * n) / 9)]))
  const now = await timeOf(db, TREE_NOW, [])
  bench.report({
    case: 'ids and titles of the whole site at an instant, in SQL',
    value: Math.max(...times),
    unit: 'ms',
    must: '<= 150',
  })
  const sizes = await one<Record<'headings' | 'history' | 'log' | 'rows' | 'states', number>>(
    db,
    SIZES,
  )
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`
  bench.say(
    `tree now ${now.toFixed(0)} ms; headings ${sizes.rows} rows, ${mb(sizes.headings)}; page_history ${sizes.states} rows, ${mb(sizes.history)}; log ${mb(sizes.log)}`,
  )
}

/** The best of five, in ms, as PostgreSQL measures it. */
async function timeOf(db: Db, statement: string, values: unknown[]): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let n = 0; n < 5; n++) {
    const [row] = await db.rows<{ 'QUERY PLAN': readonly { 'Execution Time': number }[] }>(
      `explain (analyze, timing off, format json) ${statement}`,
      values,
    )
    best = Math.min(best, row?.['QUERY PLAN'][0]?.['Execution Time'] ?? best)
  }
  return best
}

const ROUNDS = 6
const TURN_MS = 1_000

interface Round {
  readonly now: Result
  readonly past: Result
}

/** Loads both in turn, so that what else the machine does meets both alike. @returns the median of the rounds */
async function inTurn(http: HttpSite, urls: { now: string[]; past: string[] }): Promise<Round> {
  const rounds: Round[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const now = await http.load({ urls: urls.now, forMs: TURN_MS })
    const past = await http.load({ urls: urls.past, forMs: TURN_MS })
    demandAnswers(now, past)
    rounds.push({ now, past })
  }
  const ratio = ({ now, past }: Round) => past.perSecond / now.perSecond
  rounds.sort((one, other) => ratio(one) - ratio(other))
  return rounds[ROUNDS / 2] as Round
}

function ms({ p50, p99 }: { p50: number; p99: number }): string {
  return `${p50.toFixed(1)} / ${p99.toFixed(1)}`
}

function demandAnswers(...results: { failed: number }[]): void {
  const failed = results.reduce((sum, result) => sum + result.failed, 0)
  if (failed > 0) throw new Error(`${failed} requests failed`)
}
