import { change } from '../../src/commands/change.ts'
import { movePage, revisePage } from '../../src/commands/pages.ts'
import { denyRole, permitRole } from '../../src/commands/rights.ts'
import type { Document } from '../../src/content/document.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { putGrants, putPages, putUser, type TestServer, testServer, withToken } from './support.ts'

const HISTORY = { role: 'editor', permission: 'history', pattern: '*' }

interface Stale {
  code: string
  etag: string
  revision: number
  current?: Document
  base?: Document
  baseRevision?: number
  merged?: Document
  conflicts?: unknown[]
}

suite('an edit of what was changed meanwhile', test => {
  let open: TestServer
  let token = ''
  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ['nobody', 'view', '*'],
      ['editor', 'post.edit', '*'],
    ])
    await change(open.site, AS_ROOT, it => permitRole(it, HISTORY))
    token = (await putUser(open, 'ann', ['editor'])).token
  })
  test.after(() => open.close())

  test('is answered with both, and with both together where they do not conflict', async () => {
    const etag = await pageWith('wh.clean', { abstract: 'theirs' })
    const stale = await edit('wh.clean', etag, { summary: { title: 'mine' } })

    assert.is(stale.code, 'IF_MATCH_STALE')
    assert.is(stale.revision, 2)
    assert.is(stale.baseRevision, 1)
    assert.equal(stale.base?.summary, { title: 'wh.clean', abstract: '' })
    assert.equal(stale.current?.summary, { title: 'wh.clean', abstract: 'theirs' })
    assert.equal(stale.merged?.summary, { title: 'mine', abstract: 'theirs' })
    assert.is('conflicts' in stale, false)
    const next = await edit('wh.clean', stale.etag, stale.merged as unknown as object)
    assert.is(next.code, undefined as unknown as string)
  })

  test('is answered with the conflicts where there are some', async () => {
    const etag = await pageWith('wh.clash', { title: 'theirs' })
    const { merged, conflicts } = await edit('wh.clash', etag, { summary: { title: 'mine' } })

    assert.is(merged, undefined)
    assert.equal(conflicts, [
      { path: '/summary/title', base: 'wh.clash', one: 'mine', other: 'theirs' },
    ])
  })

  test('is answered with what is there alone, to whom the past is closed', async () => {
    const etag = await pageWith('wh.closed', { abstract: 'theirs' })
    await change(open.site, AS_ROOT, it => denyRole(it, HISTORY))
    const { current, base, merged } = await edit('wh.closed', etag, { summary: { title: 'mine' } })
    await change(open.site, AS_ROOT, it => permitRole(it, HISTORY))

    assert.equal(current?.summary, { title: 'wh.closed', abstract: 'theirs' })
    assert.equal([base, merged], [undefined, undefined])
  })

  test('starts from what a page said when it moved, too', async () => {
    await pageWith('wh.here', { abstract: 'ours' })
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.here', 'wh.there'))
    const etag = await etagOf('wh.there')
    await revise('wh.there', { abstract: 'theirs' })
    const { merged } = await edit('wh.there', etag, { summary: { title: 'mine' } })

    assert.equal(merged?.summary, { title: 'mine', abstract: 'theirs' })
  })

  test('is not merged with an ETag of another page, nor when it never fitted', async () => {
    const foreign = await pageWith('wh.one', { abstract: 'theirs' })
    await pageWith('wh.two', { abstract: 'theirs' })
    const other = await edit('wh.two', foreign, { summary: { title: 'mine' } })
    const unfit = await edit('wh.one', foreign, { summary: null })

    assert.equal([other.base, other.merged], [undefined, undefined])
    assert.ok(other.current)
    assert.ok(unfit.base)
    assert.equal([unfit.merged, unfit.conflicts], [undefined, undefined])
  })

  /** Makes a page that is then changed. @returns the ETag from before */
  async function pageWith(path: string, summary: object): Promise<string> {
    await putPages(open, [path])
    const etag = await etagOf(path)
    await revise(path, summary)
    return etag
  }

  async function revise(path: string, summary: object): Promise<void> {
    const ifMatch = await etagOf(path)
    const edit = (page: Document) => ({ ...page, summary: { ...page.summary, ...summary } })
    await change(open.site, AS_ROOT, it => revisePage(it, path, { ifMatch, edit }))
  }

  async function etagOf(path: string): Promise<string> {
    const { headers } = await open.server.inject({ url: `/api/pages/${path}` })
    return String(headers['etag']).replaceAll('"', '')
  }

  async function edit(path: string, etag: string, patch: object): Promise<Stale> {
    const answer = await open.server.inject(
      withToken(token, {
        method: 'PATCH',
        url: `/api/pages/${path}`,
        headers: { 'content-type': 'application/merge-patch+json', 'if-match': `"${etag}"` },
        payload: JSON.stringify(patch),
      }),
    )
    const { code, ...rest } = answer.json() as Stale
    if (code !== undefined) assert.is(answer.headers['etag'], `"${rest.etag}"`)
    return { code, ...rest }
  }
})
