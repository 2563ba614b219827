import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findAccountAtPath, listCredentials, listRoles } from '../../projections/accounts.ts'
import { listBlobs } from '../../projections/blobs.ts'
import { listGrants } from '../../projections/grants.ts'
import { findShown, findStub } from '../../projections/page-history.ts'
import { findIdAtPath, findUnpublishedId } from '../../projections/pages.ts'
import { viewerWith } from '../../src/access/viewer.ts'
import { type BlobStore, hasBlob, openBlobStore } from '../../src/blobs/store.ts'
import { logIn } from '../../src/commands/login.ts'
import { type MadeDemo, makeDemo } from '../../src/demo/make-demo.ts'
import { SCENES } from '../../src/demo/scenes.ts'
import { readHead, readPositionAt } from '../../src/log/read.ts'
import { verifyLog } from '../../src/log/verify.ts'
import { readWholeHistory } from '../../src/queries/whole-history.ts'
import { assert, suite } from '../harness.ts'
import { type TestSite, testSite } from '../support/database.ts'

suite('the demonstration site', test => {
  let open: TestSite
  let made: MadeDemo | null
  let blobs: BlobStore
  const folder = mkdtempSync(join(tmpdir(), 'rm3-demo-'))
  test.before(async () => {
    open = await testSite()
    blobs = await openBlobStore(join(folder, 'blobs'))
    made = await makeDemo(open.site, blobs)
  })
  test.after(async () => {
    await open.close()
    rmSync(folder, { recursive: true })
  })
  const idOf = async (path: string) => (await findIdAtPath(open.site.db, path)) ?? ''

  test('is made once, and its log is whole', async () => {
    const { fault } = await verifyLog(open.site.db)

    assert.is(fault, null)
    assert.is(await makeDemo(open.site, blobs), null)
  })

  test('lets only the admin in, with the password that was made', async () => {
    const { account } = await logIn(open.site, made?.user ?? '', made?.password ?? '')
    const authors = await Promise.all(
      ['mara', 'jonas'].map(name => findAccountAtPath(open.site.db, `wh.users.${name}`)),
    )

    assert.equal(await listRoles(open.site.db, account.id), ['root'])
    for (const author of authors) {
      assert.equal(await listCredentials(open.site.db, author?.id ?? ''), [])
      assert.equal(await listRoles(open.site.db, author?.id ?? ''), ['editor'])
    }
  })

  test('has posts with several revisions by two authors, over weeks', async () => {
    const id = await idOf('wh.blog.a_site_that_remembers')
    const revisions = await readWholeHistory(open.site.db, id, Number.MAX_SAFE_INTEGER)
    const first = Date.parse(revisions[0]?.at ?? '')
    const last = Date.parse(revisions.at(-1)?.at ?? '')

    assert.is(revisions.length, 3)
    assert.is(new Set(revisions.map(({ actor }) => actor)).size, 2)
    assert.ok(last - first > 5 * 86_400_000)
  })

  test('was something else at its beginning', async () => {
    const { db } = open.site
    const days = (n: number) => new Date(Date.now() - n * 86_400_000).toISOString()
    const early = await readPositionAt(db, days(40.5))
    const later = await readPositionAt(db, days(20))
    const before = await findShown(db, 'wh', early)
    const now = await findShown(db, 'wh', (await readHead(db)).position)

    assert.is(await readPositionAt(db, days(60)), 0)
    assert.is(before?.revision, 1)
    assert.is(now?.revision, 3)
    assert.is((await findShown(db, 'wh.blog', early)) ?? null, null)
    assert.is((await findShown(db, 'wh.news', later))?.state, 'live')
  })

  test('has a deleted page with a redirect, a moved page, a draft and pictures', async () => {
    const { db } = open.site
    const deleted = await findStub(db, 'wh.news')
    const moved = await findStub(db, 'wh.about_us')
    const draft = await findUnpublishedId(db, 'wh.blog.the_right_to_be_forgotten')
    const files = await listBlobs(db, await idOf('wh.images.dusk'))

    assert.equal([deleted?.state, deleted?.redirect], ['deleted', '/blog/'])
    assert.equal([moved?.state, moved?.path], ['live', 'wh.about'])
    assert.ok(draft)
    assert.equal(
      files.map(({ name, mediaType }) => [name, mediaType]),
      [['dusk.png', 'image/png']],
    )
    assert.ok(await hasBlob(blobs, files[0]?.sha256 ?? ''))
  })

  test('shows everything but people and drafts to everyone', async () => {
    const nobody = viewerWith(await listGrants(open.site.db), [], null)

    assert.ok(
      nobody.may('view', 'wh') && nobody.may('history', 'wh.blog.drafts_and_second_thoughts'),
    )
    assert.not.ok(nobody.may('view', 'wh.users.mara'))
    assert.not.ok(nobody.may('viewdraft', 'wh.blog.the_right_to_be_forgotten'))
    assert.not.ok(nobody.may('post.edit', 'wh'))
  })

  test('is told in the order of time', () => {
    const days = SCENES.map(({ daysAgo }) => daysAgo)

    assert.equal(
      days,
      [...days].sort((one, other) => other - one),
    )
  })
})
