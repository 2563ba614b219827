import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT_VIEWER } from '../src/access/viewer.ts'
import { loadGit } from '../src/backup/git/load.ts'
import { type Author, change, type Site } from '../src/commands/change.ts'
import { decidePage } from '../src/content/decide-page.ts'
import type { Document } from '../src/content/document.ts'
import { openSite } from '../src/open-site.ts'
import { one } from '../src/pg/db.ts'
import type { Bench } from './harness.ts'
import { docsBundle } from './support/docs-bundle.ts'

/**
 * Question: what does history cost on disk? Bytes of the log and the keyframes with their indexes, for small edits of a long page
 * and for the real history of a documentation site, against what git needs for the same.
 */
const EDITS = 200
const GIT_BYTES_PER_EDIT = 294
const AUTHOR: Author = { viewer: ROOT_VIEWER, door: 'import' }

export default async function size(bench: Bench): Promise<void> {
  const { site, close } = await openSite({ url: bench.url, site: 'bench' })
  try {
    await smallEdits(bench, site)
    const bundle = docsBundle()
    if (bundle === null) bench.say('the documentation history is not here: skipped')
    else await realHistory(bench, bundle)
  } finally {
    await close()
  }
}

async function smallEdits(bench: Bench, site: Site): Promise<void> {
  const lines = Array.from(
    { length: 230 },
    (_, n) => `Line ${n} of a page about sixty-five characters wide, more or less.\n`,
  )
  const id = site.newId()
  await save(site, id, { path: 'wh.long', text: lines.join('') }, AUTHOR)
  const before = await historyBytes(site)
  for (let edit = 0; edit < EDITS; edit++) {
    lines[(edit * 37) % lines.length] =
      `Line changed by edit ${edit}, still about as long as it was before, roughly.\n`
    await save(site, id, { path: 'wh.long', text: lines.join('') }, AUTHOR)
  }
  const perRevision = ((await historyBytes(site)) - before) / EDITS
  bench.report({
    case: 'one-line edits of 15 KB, bytes per revision',
    value: perRevision,
    unit: 'B',
    must: '<= 1500',
  })
  bench.say(`git needs ${GIT_BYTES_PER_EDIT} B for such a revision in a pack`)
}

async function realHistory(bench: Bench, bundle: string): Promise<void> {
  const { site, close } = await openSite({ url: bench.url, site: 'bench_history' })
  const folder = mkdtempSync(join(tmpdir(), 'rm3-bench-blobs-'))
  try {
    const start = performance.now()
    const { commits, done } = await loadGit(site, {
      source: bundle,
      stores: { public: { folder }, private: { folder } },
    })
    const seconds = (performance.now() - start) / 1000
    const { documents, events } = done.proof
    bench.report({
      case: `documentation site, ${documents} revisions`,
      value: (await historyBytes(site)) / 1e6,
      unit: 'MB',
      must: '<= 8',
    })
    const pack = (statSync(bundle).size / 1e6).toFixed(2)
    bench.say(
      `git's pack ${pack} MB; ${commits} commits as ${events} events, loaded and proved in ${seconds.toFixed(1)} s`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await close()
  }
}

async function save(
  site: Site,
  id: string,
  page: { path: string; text: string },
  author: Author,
): Promise<void> {
  const document: Document = {
    proto: 'base',
    hidden: false,
    summary: { title: page.path, abstract: '' },
    data: { posting: { format: 'markdown', source: page.text } },
    tags: {},
  }
  await change(site, author, async it => {
    const entity = await it.entity(id)
    it.record(
      entity === null
        ? decidePage(null, { type: 'CreatePage', id, path: page.path, document })
        : decidePage(entity, { type: 'RevisePage', document, base: entity.revision }),
    )
  })
}

async function historyBytes(site: Site): Promise<number> {
  const { bytes } = await one<{ bytes: number }>(
    site.db,
    `select pg_total_relation_size('log') + pg_total_relation_size('keyframes') as bytes`,
  )
  return bytes
}
