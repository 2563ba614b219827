import { createHash } from 'node:crypto'
import type { InjectOptions } from 'fastify'
import { setPassword } from '../../src/commands/accounts.ts'
import { attachBlob } from '../../src/commands/blobs.ts'
import { type Author, change } from '../../src/commands/change.ts'
import { createPage, deletePage, movePage, revisePage } from '../../src/commands/pages.ts'
import type { Document } from '../../src/content/document.ts'
import { followSite } from '../../src/follow-site.ts'
import { readHead } from '../../src/log/read.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import type { Following } from '../../src/projector/follow.ts'
import { untilReached } from '../../src/projector/standing.ts'
import { AS_ROOT, TEST_SITE, type TestSite } from '../support/database.ts'
import { page, putGrants, putUser, type Request } from './support.ts'

export const PASSWORD = 'correct horse battery'

/** A document with a text in markdown. */
export function text(title: string, source: string, more: Partial<Document> = {}): Document {
  return page(title, { proto: 'base', data: { posting: { format: 'markdown', source } }, ...more })
}

const NAVBAR = { navigation: [{ '@id': 'navbar', objClass: 'tag' }] }

/** What everyone may see, and what editors may. */
const GRANTS = [
  ['nobody', 'view', 'wh.!secret.*'],
  ['editor', 'view', '*'],
  ['editor', 'history', '*'],
  ['editor', 'viewdraft', '*'],
  ['editor', 'post.edit', '*'],
  ['editor', 'post.delete', '*'],
] as const

/** Changes a page as it is now. */
export async function edit(
  open: TestSite,
  path: string,
  document: Document,
  { note = null, draft = false }: { note?: string | null; draft?: boolean } = {},
): Promise<void> {
  await change(open.site, { ...AS_ROOT, note } as Author, async it => {
    const id = await it.liveIdAt(path)
    const entity = id === null ? null : await it.entity(id)
    const ifMatch = entity?.sinceId ?? ''
    await revisePage(it, path, { ifMatch, edit: () => document, draft })
  })
}

/** Makes a page as the operator does. */
export async function make(
  open: TestSite,
  path: string,
  document: Document,
  draft = false,
): Promise<void> {
  await change(open.site, AS_ROOT, it => createPage(it, { path, document, draft }))
}

/** A small site of all kinds of pages; an editor `ed` can log in with `PASSWORD`. @returns a token of hers */
export async function makeSite(open: TestSite): Promise<string> {
  await putGrants(open, GRANTS)
  const put = (path: string, document: Document) => make(open, path, document)
  await put('wh', text('The Tidal Mill', 'Welcome to the **mill**.', { proto: 'index' }))
  await put('wh.users', page('Users', { proto: 'index' }))
  await put('wh.blog', page('Notebook', { proto: 'blogindex', tags: NAVBAR }))
  await put('wh.images', page('Pictures', { proto: 'imageindex', tags: NAVBAR }))
  const subject = [{ '@id': 'wh.meta.wood', objClass: 'ontag' }]
  for (let post = 1; post <= 17; post++) {
    const source = `Text of post ${post}.\n\n![Wheel](/images/wheel/)\n\nSee [the first](/blog/post_1/).`
    const tags =
      post === 1 ? { plain: [{ '@id': 'oak', objClass: 'tag' }], 'wh.meta.about': subject } : {}
    await put(`wh.blog.post_${post}`, text(`Post ${post}`, source, { proto: 'blog', tags }))
  }
  await put('wh.images.wheel', page('The wheel', { proto: 'vectorgraphic' }))
  await attachPicture(open, 'wh.images.wheel')
  await put('wh.meta', page('Meta', { proto: 'index' }))
  await put(
    'wh.meta.wood',
    page('Wood', { proto: 'ontag', summary: { title: 'Wood', abstract: '', uri: '' } }),
  )
  await put(
    'wh.meta.about',
    page('About', { proto: 'predicate', summary: { title: 'About', abstract: '', uri: '' } }),
  )
  await put('wh.secret', text('Hush', 'Only for editors.', { tags: NAVBAR }))
  await put('wh.secret.deep', text('Deeper', 'Only for editors.'))
  const { id, token } = await putUser(open, 'ed', ['editor'])
  await setPassword(open.site, AS_ROOT, id, PASSWORD)
  await makeComment(open)
  await makePast(open)
  return token
}

async function makeComment(open: TestSite): Promise<void> {
  const summary = { title: 'Comment', abstract: '', author: 'wh.users.ed' }
  const data = { comment: '<p>What a <b>wheel</b>!</p><script>alert(1)</script>' }
  await make(open, 'wh.blog.post_1.c1', page('Comment', { proto: 'comment', summary, data }))
}

async function makePast(open: TestSite): Promise<void> {
  const revise = (source: string, note: string | null, draft = false) =>
    edit(open, 'wh.blog.post_2', text('Post 2', source, { proto: 'blog' }), { note, draft })
  await revise('The second text of post 2.', 'Said it better')
  await revise('The third text of post 2.', null)
  await revise('A draft of post 2.', 'Not yet', true)
  await make(open, 'wh.coming', text('Coming', 'Not out yet.'), true)
  await make(open, 'wh.old', text('Old', 'I shall move.'))
  await change(open.site, AS_ROOT, it => movePage(it, 'wh.old', 'wh.newer'))
  await make(open, 'wh.gone', text('Gone', 'I shall go.'))
  await change(open.site, AS_ROOT, it => deletePage(it, 'wh.gone'))
  await make(open, 'wh.away', text('Away', 'I shall go.'))
  await change(open.site, AS_ROOT, it => deletePage(it, 'wh.away', 'https://example.org/new?x=1'))
  await make(open, 'wh.near', text('Near', 'I shall go.'))
  await change(open.site, AS_ROOT, it => deletePage(it, 'wh.near', '/blog/'))
}

export const PICTURE =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 3 2"><path fill="#68a" d="M0 0h3v2H0z"/></svg>'

/** Attaches a picture whose bytes nobody keeps: what serves files has its own tests. */
export async function attachPicture(
  open: TestSite,
  path: string,
  name = 'infile.svg',
): Promise<void> {
  const sha256 = createHash('sha256').update(PICTURE).digest('hex')
  const blob = { sha256, sizeBytes: PICTURE.length, mediaType: 'image/svg+xml' }
  await change(open.site, AS_ROOT, it =>
    attachBlob(it, path, { ...blob, name, category: 'public' }),
  )
}

/** Has the search follow the site. Stop it before the site is closed. */
export async function follow(open: TestSite): Promise<Following> {
  return followSite(
    { projections: await discoverProjections(), wakeups: open.wakeups },
    { url: open.url, site: TEST_SITE, say: () => {} },
  )
}

/** Waits until all that was written is found. @throws when that takes too long */
export async function found({ site }: TestSite): Promise<void> {
  const { position } = await readHead(site.db)
  if (!(await untilReached(site.db, position, 10_000))) throw new Error('the search is late')
}

/** A request as browsers make it. */
export function browse(url: string, more: Omit<InjectOptions, 'url'> = {}): Request {
  const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
  return { url, ...more, headers: { accept, ...more.headers } }
}
