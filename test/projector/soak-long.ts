import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { permitRole } from '../../src/commands/rights.ts'
import { readHead } from '../../src/log/read.ts'
import type { SiteDatabase } from '../../src/pg/bulk.ts'
import type { Projection } from '../../src/projector/define.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { rebuildProjections } from '../../src/projector/rebuild.ts'
import { untilReached } from '../../src/projector/standing.ts'
import { verifyProjections } from '../../src/projector/verify.ts'
import { openShell, said } from '../cli/run.ts'
import { assert } from '../harness.ts'
import { page } from '../http/support.ts'
import { AS_ROOT, TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { fillSite } from './damage-runs.ts'
import { startWriters, stopWriters } from './swap-runs.ts'

const SEED = 6
const PAGES = 5
const READERS = 3
const PAUSE_MS = 20
const ANSWER_MS = 30_000
const FOLLOWED_MS = 120_000

/**
 * What `npm run soak` does: for some minutes three processes write, a server answers readers and follows the log, and meanwhile everything is rebuilt again and
 * again, and everything is compared with the log again and again. Pages that nobody changes must look the same all the time.
 *
 * @throws when a request fails or gives something else, a row is wrong, or a process ends
 */
export async function runSoak(words: string[], say: (line: string) => void): Promise<void> {
  const { values } = parseArgs({
    args: words,
    options: { minutes: { type: 'string', default: '10' } },
  })
  const open = await testSite()
  const shell = openShell(open.url)
  try {
    await fillSite(open, SEED)
    await putQuietPages(open)
    const server = shell.start('rm3front', ['--no-demo'], { RM3_LISTEN_PORT: '0' })
    const [, url = ''] = /rm3 is at (\S+)/.exec(await said(server, /Ctrl-C stops it/)) ?? []
    assert.ok(
      await untilReached(open.site.db, (await readHead(open.site.db)).position, FOLLOWED_MS),
    )
    const until = Date.now() + Number(values.minutes) * 60_000
    const told = await soak({ url: open.url, site: TEST_SITE }, url, until)
    const { position } = await readHead(open.site.db)
    assert.ok(await untilReached(open.site.db, position, FOLLOWED_MS), 'followers reach the end')
    const projections = await discoverProjections()
    const { findings } = await verifyProjections(
      { url: open.url, site: TEST_SITE },
      { projections, threads: 0 },
    )
    assert.equal(findings, [], 'at the end')
    assert.is(server.exitCode, null)
    say(`${told}: no wrong row, no failed request`)
  } finally {
    shell.close()
    await open.close()
  }
}

/** Pages that everybody may see and nobody changes. */
async function putQuietPages({ site }: TestSite): Promise<void> {
  await change(site, AS_ROOT, async it => {
    for (const permission of ['view', 'history'])
      await permitRole(it, { role: 'nobody', permission, pattern: '*' })
    await createPage(it, { path: 'wh.quiet', document: page('Quiet') })
    for (let n = 0; n < PAGES; n++) {
      const data = { posting: { format: 'markdown', source: `Of stillness, ${n}. [Up](/quiet/)` } }
      const tags = { about: [{ '@id': 'stillness', objClass: 'tag' }] }
      await createPage(it, { path: `wh.quiet.p${n}`, document: page(`Still ${n}`, { data, tags }) })
    }
  })
}

async function soak(database: SiteDatabase, url: string, until: number): Promise<string> {
  const all = await discoverProjections()
  const writers = await startWriters(database.url)
  const working = Promise.all([
    again(until, () => rebuildAll(database, all)),
    again(until, () => checkAll(database, all)),
    ...Array.from({ length: READERS }, () => readAgain(url, until)),
  ])
  const [rebuilds, checks, ...reads] = await working.catch(thrown => {
    for (const writer of writers) writer.kill()
    throw thrown
  })
  const saves = await stopWriters(writers)
  const read = reads.reduce((sum, count) => sum + count, 0)
  return `${rebuilds} rebuilds and ${checks} checks of everything under ${saves} saves and ${read} reads`
}

/** @returns how many times it was done */
async function again(until: number, work: () => Promise<void>): Promise<number> {
  let count = 0
  for (; Date.now() < until; count++) await work()
  return count
}

async function rebuildAll(database: SiteDatabase, all: readonly Projection[]): Promise<void> {
  const { drift } = await rebuildProjections(database, { projections: all, all, threads: 0 })
  assert.equal(drift ?? [], [], 'the tables before a swap')
}

async function checkAll(database: SiteDatabase, projections: readonly Projection[]): Promise<void> {
  const { findings } = await verifyProjections(database, { projections, threads: 0 })
  assert.equal(findings, [], 'while they write')
}

/** What is asked for, one from each projection that pages are read from. */
const QUESTIONS = [
  'api/pages/wh.quiet.p1',
  'api/pages?parent=wh.quiet',
  'api/pages?tag=stillness',
  'api/pages/wh.quiet.p2/revisions',
  'api/pages/wh.quiet.p3?at=revision:1',
  'api/pages/wh.quiet/links',
  'api/search?q=stillness',
  'api/history/search?q=of%20stillness',
]
const PAGE = { accept: 'text/html' }

async function readAgain(url: string, until: number): Promise<number> {
  const first = new Map<string, string>()
  const read = async () => {
    for (const question of QUESTIONS) {
      const body = await answered(`${url}${question}`, {})
      const before = first.get(question) ?? body
      first.set(question, before)
      assert.is(body, before, question)
    }
    assert.match(await answered(`${url}quiet/p4/`, PAGE), /Of stillness, 4/)
    await sleep(PAUSE_MS)
  }
  return (QUESTIONS.length + 1) * (await again(until, read))
}

async function answered(url: string, headers: Record<string, string>): Promise<string> {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS) })
  const body = await answer.text()
  assert.is(answer.status, 200, `${url}: ${body}`)
  return body
}
