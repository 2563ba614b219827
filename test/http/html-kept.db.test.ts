import { change } from '../../src/commands/change.ts'
import { deletePage, movePage, undeletePage } from '../../src/commands/pages.ts'
import { assignUser, denyRole, permitRole } from '../../src/commands/rights.ts'
import { buildServer } from '../../src/http/server.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { attachPicture, browse, edit, make, makeSite, text } from './html-site.ts'
import { page, putUser, type TestServer, testServer } from './support.ts'

const URLS = [
  ...['/', '/blog/', '/blog/post_1/', '/blog/post_2/', '/images/', '/images/wheel/', '/meta/'],
  ...['/meta/wood/', '/meta/about/', '/users/', '/users/ed/', '/newer/', '/gone/', '/feeds/'],
]
const NAVBAR = { navigation: [{ '@id': 'navbar', objClass: 'tag' }] }
const FEED = { format: 'indexfeed', query: 'child', rootPath: 'true', sort: 'changed' }

/** Changes of all kinds, each of which shows on other pages. */
const CHANGES: Record<string, (open: TestServer) => Promise<unknown>> = {
  'an edit': open => edit(open, 'wh.newer', text('Newest', 'Other words.')),
  'a new post': open => make(open, 'wh.blog.post_0', text('Post 0', 'x', { proto: 'blog' })),
  'a new comment': open =>
    make(open, 'wh.blog.post_2.c1', page('C', { proto: 'comment', data: { comment: 'Hm.' } })),
  'an edited comment': open =>
    edit(open, 'wh.blog.post_1.c1', page('C', { proto: 'comment', data: { comment: 'Oh.' } })),
  'the name of an author': open => edit(open, 'wh.users.ed', page('Eddy', { proto: 'user' })),
  'a page in the navigation': open => make(open, 'wh.map', page('Map', { tags: NAVBAR })),
  'a page out of the navigation': open => edit(open, 'wh.map', page('Map')),
  'a title above': open => edit(open, 'wh.blog', page('Log', { proto: 'blogindex', tags: NAVBAR })),
  'the title of the site': open => edit(open, 'wh', text('Mill', 'Hello.', { proto: 'index' })),
  'another file': open => attachPicture(open, 'wh.images.wheel', 'infile.png'),
  'the title of a picture': open =>
    edit(open, 'wh.images.wheel', page('Wheel!', { proto: 'vectorgraphic' })),
  'the title of a tag': open => edit(open, 'wh.meta.wood', page('Timber', { proto: 'ontag' })),
  'a new use of a tag': open =>
    edit(
      open,
      'wh.blog.post_5',
      text('Post 5', 'x', {
        proto: 'blog',
        tags: { 'wh.meta.about': [{ '@id': 'wh.meta.wood', objClass: 'ontag' }] },
      }),
    ),
  'a move': open => change(open.site, AS_ROOT, it => movePage(it, 'wh.blog.post_5', 'wh.meta.p')),
  'a move of all posts': open => change(open.site, AS_ROOT, it => movePage(it, 'wh.blog', 'wh.b')),
  'a move back': open => change(open.site, AS_ROOT, it => movePage(it, 'wh.b', 'wh.blog')),
  'a deletion': open => change(open.site, AS_ROOT, it => deletePage(it, 'wh.blog.post_17')),
  'an undeletion': open => change(open.site, AS_ROOT, it => undeletePage(it, 'wh.blog.post_17')),
  'a page that comes back': open => change(open.site, AS_ROOT, it => undeletePage(it, 'wh.gone')),
  'a draft': open => edit(open, 'wh.newer', text('Draft', 'x'), { draft: true }),
  'a right more': open =>
    change(open.site, AS_ROOT, it =>
      permitRole(it, { role: 'nobody', permission: 'history', pattern: 'wh.newer' }),
    ),
  'a right less': open =>
    change(open.site, AS_ROOT, it =>
      denyRole(it, { role: 'nobody', permission: 'history', pattern: 'wh.newer' }),
    ),
  'a new user': open => putUser(open, 'zoe', []),
  'a role for someone': async open =>
    change(open.site, AS_ROOT, async it =>
      assignUser(it, (await it.liveIdAt('wh.users.zoe')) ?? '', 'editor'),
    ),
}

suite('kept pages', test => {
  let open: TestServer

  test.before(async () => {
    open = await testServer()
    await makeSite(open)
    await make(open, 'wh.feeds', page('All', { data: { posting: FEED } }))
  })
  test.after(() => open.close())

  for (const [name, apply] of Object.entries(CHANGES)) {
    test(`are what a server shows that has kept nothing, after ${name}`, async () => {
      for (const url of URLS) await open.server.inject(browse(url))
      await apply(open)
      const fresh = buildServer({ site: open.site, wakeups: null })
      for (const url of URLS) {
        const kept = await open.server.inject(browse(url))
        const anew = await fresh.inject(browse(url))

        assert.is(kept.statusCode, anew.statusCode, url)
        assert.is(withoutId(kept.body), withoutId(anew.body), url)
      }
      await fresh.close()
    })
  }

  test('take one statement, and one more for whatever else was changed meanwhile', async () => {
    const { db } = open.site as { db: { rows: (text: string, values?: unknown[]) => unknown } }
    const { rows } = db
    let statements = 0
    await open.server.inject(browse('/newer/'))
    await edit(open, 'wh.blog.post_3', text('Post 3', 'Changed.', { proto: 'blog' }))
    db.rows = (...asked) => {
      statements++
      return rows(...asked)
    }
    await open.server.inject(browse('/newer/'))
    const after = statements
    await open.server.inject(browse('/newer/'))
    db.rows = rows

    assert.is(after, 2)
    assert.is(statements, 3)
  })
})

function withoutId(body: string): string {
  return body.replace(/<code>[^<]*<\/code>/, '')
}
