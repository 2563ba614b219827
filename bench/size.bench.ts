import { ROOT_VIEWER } from '../src/access/viewer.ts'
import { type Author, change, type Site } from '../src/commands/change.ts'
import { decidePage } from '../src/content/decide-page.ts'
import type { Document } from '../src/content/document.ts'
import { openSite } from '../src/open-site.ts'
import { one } from '../src/pg/db.ts'
import type { Bench } from './harness.ts'
import { docsBundle, type FileChange, readHistory } from './support/git-history.ts'

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
    else await realHistory(bench, site, bundle)
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

async function realHistory(bench: Bench, site: Site, bundle: string): Promise<void> {
  const { changes, packBytes } = await readHistory(bundle)
  const before = await historyBytes(site)
  const start = performance.now()
  await replay(site, changes)
  const seconds = (performance.now() - start) / 1000
  const bytes = (await historyBytes(site)) - before
  const texts = changes.reduce((sum, { text }) => sum + (text?.length ?? 0), 0)
  bench.report({
    case: `documentation site, ${changes.length} changes`,
    value: bytes / 1e6,
    unit: 'MB',
    must: '<= 8',
  })
  bench.say(
    `${(texts / 1e6).toFixed(1)} MB of texts; git's pack ${(packBytes / 1e6).toFixed(2)} MB; loaded in ${seconds.toFixed(1)} s`,
  )
}

async function replay(site: Site, changes: readonly FileChange[]): Promise<void> {
  const ids = new Map<string, string>()
  for (const { kind, path, from = '', text, at } of changes) {
    const author = { ...AUTHOR, at }
    const id = ids.get(kind === 'move' ? from : path) ?? site.newId()
    if (kind === 'move') {
      ids.delete(from)
      await act(site, id, author, { type: 'MovePage', to: pathOf(path) })
    }
    if (kind === 'delete') {
      ids.delete(path)
      await act(site, id, author, { type: 'DeletePage' })
    } else {
      ids.set(path, id)
      if (text !== undefined) await save(site, id, { path: pathOf(path), text }, author)
    }
  }
}

type Act = { type: 'MovePage'; to: string } | { type: 'DeletePage' }

async function act(site: Site, id: string, author: Author, command: Act): Promise<void> {
  await change(site, author, async it => {
    const entity = await it.entity(id)
    if (entity) it.record(decidePage(entity, command))
  })
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

function pathOf(file: string): string {
  const labels = file.replace(/\.md$/, '').split('/')
  return ['wh', ...labels.map(label => `p${label.toLowerCase().replace(/[^a-z0-9]/g, '_')}`)].join(
    '.',
  )
}

async function historyBytes(site: Site): Promise<number> {
  const { bytes } = await one<{ bytes: number }>(
    site.db,
    `select pg_total_relation_size('log') + pg_total_relation_size('keyframes') as bytes`,
  )
  return bytes
}
