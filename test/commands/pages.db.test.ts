import { findDeletedId } from '../../projections/page-history.ts'
import { findIdAtPath } from '../../projections/pages.ts'
import { attachBlob, detachBlob } from '../../src/commands/blobs.ts'
import { type Change, change, type Written } from '../../src/commands/change.ts'
import {
  createPage,
  deletePage,
  movePage,
  publishPage,
  restoreRevision,
  revisePage,
  undeletePage,
} from '../../src/commands/pages.ts'
import { type Document, documentOf } from '../../src/content/document.ts'
import type { Entity } from '../../src/content/state.ts'
import type { Rm3Error } from '../../src/errors.ts'
import { assert, rejection, suite } from '../harness.ts'
import { AS_ROOT, type TestSite, testSite } from '../support/database.ts'

suite('pages', test => {
  let open: TestSite
  test.before(async () => {
    open = await testSite()
  })
  test.after(() => open.close())

  const run = <Result>(work: (change: Change) => Promise<Result>): Promise<Written<Result>> =>
    change(open.site, AS_ROOT, work)
  const make = async (path: string, draft = false): Promise<Entity> =>
    (await run(it => createPage(it, { path, document: titled(path), draft }))).result
  const codeOf = async (work: (change: Change) => Promise<unknown>): Promise<string> =>
    ((await rejection(run(work))) as Rm3Error).code
  const save = async (path: string, ifMatch: string, title: string, draft = false) =>
    (await run(it => revisePage(it, path, { ifMatch, edit: () => titled(title), draft }))).result

  test('gives the first page position 1 and revision 1', async () => {
    const written = await run(it => createPage(it, { path: 'wh', document: titled('wh') }))

    assert.is(written.position, 1)
    assert.is(written.result.revision, 1)
  })

  test('refuses a second page at a path, a draft too, and a path that is none', async () => {
    for (const draft of [false, true]) {
      assert.is(
        await codeOf(it => createPage(it, { path: 'wh', document: titled('x'), draft })),
        'PATH_TAKEN',
      )
    }
    assert.is(
      await codeOf(it => createPage(it, { path: 'wh.a/b', document: titled('x') })),
      'PATH_INVALID',
    )
    assert.is((await make('wh.Capital')).path, 'wh.capital')
  })

  test('refuses pages outside of the site, where no address leads', async () => {
    const document = titled('x')

    assert.is(await codeOf(it => createPage(it, { path: 'blog', document })), 'PATH_INVALID')
    assert.is(await codeOf(it => createPage(it, { path: 'who.blog', document })), 'PATH_INVALID')
    assert.is(await codeOf(it => movePage(it, 'wh', 'www')), 'PATH_INVALID')
  })

  test('refuses two pages at one path in one change, and writes neither', async () => {
    const twice = async (it: Change) => {
      await createPage(it, { path: 'wh.twice', document: titled('1') })
      await createPage(it, { path: 'wh.twice', document: titled('2') })
    }

    assert.is(await codeOf(twice), 'PATH_TAKEN')
    assert.is(await findIdAtPath(open.site.db, 'wh.twice'), null)
  })

  test('a change sees what it did itself: make, move, edit, delete', async () => {
    const { result, events } = await run(async it => {
      const { sinceId } = await createPage(it, { path: 'wh.batch', document: titled('1') })
      await revisePage(it, 'wh.batch', { ifMatch: sinceId ?? '', edit: () => titled('2') })
      await movePage(it, 'wh.batch', 'wh.batch2')
      await createPage(it, { path: 'wh.batch', document: titled('3') })
      return deletePage(it, 'wh.batch')
    })

    assert.is(result.state, 'deleted')
    assert.is(events.length, 5)
    assert.ok(await findIdAtPath(open.site.db, 'wh.batch2'))
    assert.is(await findIdAtPath(open.site.db, 'wh.batch'), null)
  })

  test('two pages change places in one change', async () => {
    const [left, right] = [await make('wh.left'), await make('wh.right')]
    await run(async it => {
      await movePage(it, 'wh.left', 'wh.between')
      await movePage(it, 'wh.right', 'wh.left')
      await movePage(it, 'wh.between', 'wh.right')
    })

    assert.is(await findIdAtPath(open.site.db, 'wh.left'), right.id)
    assert.is(await findIdAtPath(open.site.db, 'wh.right'), left.id)
  })

  test('drafts of new pages move with what is above them', async () => {
    await make('wh.tree')
    const draft = await make('wh.tree.a.draft', true)
    await run(it => movePage(it, 'wh.tree', 'wh.wood'))

    const moved = await run(it => publishPage(it, 'wh.wood.a.draft', 1))
    assert.is(moved.result.id, draft.id)
    assert.is(moved.result.path, 'wh.wood.a.draft')
  })

  test('a page that was never live moves, with live pages below it', async () => {
    await make('wh.top', true)
    const below = await make('wh.top.below')
    await run(it => movePage(it, 'wh.top', 'wh.hat'))

    assert.is(await findIdAtPath(open.site.db, 'wh.hat.below'), below.id)
  })

  test('a page moves up to where its parent would be, with a child of its own name', async () => {
    const top = await make('wh.up.up')
    const child = await make('wh.up.up.up')
    await run(it => movePage(it, 'wh.up.up', 'wh.up'))

    assert.is(await findIdAtPath(open.site.db, 'wh.up'), top.id)
    assert.is(await findIdAtPath(open.site.db, 'wh.up.up'), child.id)
  })

  test('nothing moves when one of the places is taken, or lies below', async () => {
    await make('wh.m')
    await make('wh.m.child')
    await make('wh.n.child')

    assert.is(await codeOf(it => movePage(it, 'wh.m', 'wh.n')), 'PATH_TAKEN')
    assert.is(await codeOf(it => movePage(it, 'wh.m', 'wh.m.x')), 'MOVE_INTO_ITSELF')
    assert.is(await codeOf(it => movePage(it, 'wh.m', 'wh.n..x')), 'PATH_INVALID')
    assert.ok(await findIdAtPath(open.site.db, 'wh.m.child'))
  })

  test('a page moves to where one was deleted, and that one comes back elsewhere', async () => {
    const first = await make('wh.place')
    await run(it => deletePage(it, 'wh.place'))
    await make('wh.other')
    await run(it => movePage(it, 'wh.other', 'wh.place'))

    assert.is(await findDeletedId(open.site.db, 'wh.place'), first.id)
    assert.is(await codeOf(it => undeletePage(it, 'wh.place')), 'PATH_TAKEN')
    const back = await run(it => undeletePage(it, 'wh.place', 'wh.Elsewhere'))
    assert.is(back.result.id, first.id)
    assert.is(back.result.path, 'wh.elsewhere')
    assert.is(await codeOf(it => undeletePage(it, 'wh.place')), 'PAGE_NOT_DELETED')
  })

  test('a deleted draft is gone without a trace for readers, and comes back as a draft', async () => {
    const draft = await make('wh.secret', true)
    await run(it => deletePage(it, 'wh.secret'))

    assert.is(await codeOf(it => deletePage(it, 'wh.secret')), 'PAGE_NOT_FOUND')
    const back = await run(it => undeletePage(it, 'wh.secret'))
    assert.is(back.result.id, draft.id)
    assert.is(back.result.state, 'draft')
  })

  test('a revision of a deleted page is restored once the page is back', async () => {
    const { sinceId } = await make('wh.gone')
    await save('wh.gone', sinceId ?? '', 'later')
    await run(it => deletePage(it, 'wh.gone'))
    const restore = (it: Change) => restoreRevision(it, 'wh.gone', { revision: 1 })

    assert.is(await codeOf(restore), 'PAGE_GONE')
    await run(it => undeletePage(it, 'wh.gone'))
    const { live } = (await run(restore)).result
    assert.is(titleOf(live), 'wh.gone')
  })

  test('a live edit needs what is live now, a draft any revision', async () => {
    const first = await make('wh.edit')
    const second = await save('wh.edit', first.sinceId ?? '', 'second')
    const draft = await save('wh.edit', first.tipId, 'draft on the first', true)
    const stale = (await rejection(save('wh.edit', first.sinceId ?? '', 'x'))) as Rm3Error

    assert.is(stale.code, 'IF_MATCH_STALE')
    assert.is(stale.details['etag'], second.sinceId)
    const published = (await run(it => publishPage(it, 'wh.edit', draft.tipRevision))).result
    assert.is(titleOf(published.live), 'draft on the first')
    assert.is(published.live?.revisionId, draft.tipId)
    const older = (await run(it => publishPage(it, 'wh.edit', 1))).result
    assert.is(older.live?.revisionId, first.tipId)
    assert.is(await codeOf(it => publishPage(it, 'wh.edit', 99)), 'REVISION_NOT_FOUND')
  })

  test('a stale edit of a page with only drafts is told its ETag', async () => {
    const first = await make('wh.onlydraft', true)
    const second = await save('wh.onlydraft', first.tipId, 'second', true)
    const stale = (await rejection(save('wh.onlydraft', first.tipId, 'x'))) as Rm3Error

    assert.is(stale.code, 'IF_MATCH_STALE')
    assert.is(stale.details['etag'], second.tipId)
  })

  test('files come and go with a page', async () => {
    await make('wh.photo')
    const blob = {
      ...{ name: 'constructor', sha256: 'a'.repeat(64), sizeBytes: 3, mediaType: 'image/png' },
      category: 'public' as const,
    }
    const attached = (await run(it => attachBlob(it, 'wh.photo', blob))).result
    const again = await run(it => attachBlob(it, 'wh.photo', blob))
    const detached = (await run(it => detachBlob(it, 'wh.photo', 'constructor'))).result

    assert.equal(Object.keys(attached.blobs), ['constructor'])
    assert.is(again.position, null)
    assert.equal(Object.keys(detached.blobs), [])
  })
})

function titled(title: string): Document {
  return { proto: 'base', hidden: false, summary: { title, abstract: '' }, data: {}, tags: {} }
}

function titleOf(live: Entity['live']): unknown {
  return live === null ? null : documentOf(live.document).summary['title']
}
