import { ROOT_VIEWER } from '../access/viewer.ts'
import { addUser } from '../commands/accounts.ts'
import { attachBlob, detachBlob } from '../commands/blobs.ts'
import { type Author, type Change, change, type Site } from '../commands/change.ts'
import {
  createPage,
  deletePage,
  movePage,
  pageAt,
  publishPage,
  restoreRevision,
  revisePage,
  undeletePage,
} from '../commands/pages.ts'
import { assignUser, deassignUser, denyRole, permitRole, setSetting } from '../commands/rights.ts'
import type { Document } from '../content/document.ts'

const AUTHOR: Author = { viewer: ROOT_VIEWER, door: 'cli' }
const PAGES = 6
const ROUNDS = 8

/**
 * Writes a bit of everything that can happen into an empty site: pages with drafts, moves with everything below, deletions, files, a
 * user with roles, grants and settings; events of several streams by turns, and a stream long enough for keyframes.
 */
export async function writeSampleLog(site: Site): Promise<void> {
  const run = async (work: (it: Change) => Promise<unknown>) => {
    await change(site, AUTHOR, work)
  }
  await run(it => createPage(it, { path: 'wh', document: documentOf(0, 0) }))
  for (let n = 1; n <= PAGES; n++) {
    await run(it => createPage(it, { path: `wh.p${n}`, document: documentOf(n, 0) }))
    await run(it => createPage(it, { path: `wh.p${n}.below`, document: documentOf(n, 1) }))
  }
  for (let round = 1; round <= ROUNDS; round++) {
    for (let n = 1; n <= PAGES; n++) {
      await run(it => revise(it, `wh.p${n}`, documentOf(n, round), round % 3 === 0))
    }
  }
  for (let round = 0; round < 40; round++) {
    await run(it => revise(it, 'wh.p1', documentOf(1, 100 + round), false))
  }
  await run(it => publishPage(it, 'wh.p2', 7))
  await run(it => restoreRevision(it, 'wh.p3', { revision: 2 }))
  await run(it => movePage(it, 'wh.p4', 'wh.elsewhere'))
  await run(it => deletePage(it, 'wh.p5', '/elsewhere/'))
  await run(it => deletePage(it, 'wh.p6'))
  await run(it => undeletePage(it, 'wh.p6'))
  await writeRights(run)
}

type Run = (work: (it: Change) => Promise<unknown>) => Promise<void>

async function writeRights(run: Run): Promise<void> {
  const grant = { role: 'editor', permission: 'post.edit', pattern: 'wh.p1.*' }
  const blob = { sha256: 'a'.repeat(64), sizeBytes: 7, mediaType: 'image/png' }
  let userId = ''
  await run(async it => {
    userId = (await addUser(it, { login: 'ann', fullName: 'Ann' })).id
  })
  await run(it => assignUser(it, userId, 'editor'))
  await run(it => permitRole(it, grant))
  await run(it => setSetting(it, 'site.title', 'A site'))
  await run(it => attachBlob(it, 'wh.p1', { name: 'a.png', ...blob, category: 'public' }))
  await run(it => detachBlob(it, 'wh.p1', 'a.png'))
  await run(it => denyRole(it, grant))
  await run(it => deassignUser(it, userId, 'editor'))
  await run(it => setSetting(it, 'site.title', null))
}

async function revise(it: Change, path: string, document: Document, draft: boolean): Promise<void> {
  const { sinceId } = await pageAt(it, path)
  await revisePage(it, path, { ifMatch: sinceId ?? '', edit: () => document, draft })
}

function documentOf(n: number, round: number): Document {
  const source = [
    `# Page ${n}`,
    `Round ${round} of [the next](/p${n + 1}/) and [one that is not there](/none${round % 2}/).`,
    'A line that stays. '.repeat(20),
  ].join('\n\n')
  return {
    proto: n % 2 === 0 ? 'base' : 'blog',
    hidden: round % 5 === 4,
    summary: { title: `Page ${n}, round ${round}`, abstract: `About ${round}` },
    data: { posting: { format: 'markdown', source } },
    tags: { about: [{ '@id': `tag${round % 3}`, objClass: 'tag' }] },
  }
}
