import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { assert, rejection, suite } from '../harness.ts'
import { AS_ROOT, type TestSite, testSite } from '../support/database.ts'

const document = {
  proto: 'base',
  hidden: false,
  summary: { title: 'A page', abstract: '' },
  data: {},
  tags: {},
}

suite('pages', test => {
  let open: TestSite
  test.before(async () => {
    open = await testSite()
  })
  test.after(() => open.close())

  test('gives the first page position 1 and revision 1', async () => {
    const written = await change(open.site, AS_ROOT, it => createPage(it, { path: 'wh', document }))

    assert.is(written.position, 1)
    assert.is(written.result.revision, 1)
  })

  test('refuses a second page at a path', async () => {
    const error = await rejection(
      change(open.site, AS_ROOT, it => createPage(it, { path: 'wh', document })),
    )

    assert.is((error as { code?: string }).code, 'PATH_TAKEN')
  })
})
