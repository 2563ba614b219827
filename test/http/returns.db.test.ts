import { attachBlob, detachBlob } from '../../src/commands/blobs.ts'
import { change } from '../../src/commands/change.ts'
import { createPage, deletePage } from '../../src/commands/pages.ts'
import { denyRole } from '../../src/commands/rights.ts'
import type { Document } from '../../src/content/document.ts'
import { readHead } from '../../src/log/read.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { page, putPages, serverWithEditor, type TestServer, withToken } from './support.ts'

interface Answer {
  code?: string
  detail?: string
  dryRun?: boolean
  path: string
  changes?: boolean
  document?: Document
  missing?: { kind: string; name: string }[]
  pages?: { path: string; to: string }[]
  left?: { path: string; why: string }[]
}

suite('what comes back over HTTP', test => {
  let open: TestServer
  let token = ''
  test.before(async () => {
    ;({ open, token } = await serverWithEditor())
  })
  test.after(() => open.close())

  test('a member of a revision comes back into what is live, and can be rehearsed', async () => {
    await make('wh.field', page('first', { data: { a: 1, b: 2 } }))
    await put('wh.field', page('second', { data: { a: 3, c: 4 } }))
    const asked = { revision: 1, fields: ['/summary/title', '/data/b'] }
    const before = await head()
    const shown = await send('wh.field/restore', { ...asked, dryRun: true })
    assert.equal(await head(), before)
    const answer = await send('wh.field/restore', asked)
    const { summary, data } = await read('wh.field')

    assert.equal([shown.dryRun, shown.changes, shown.missing], [true, true, []])
    assert.equal([shown.document?.summary, shown.document?.data], [summary, data])
    assert.equal([summary['title'], data], ['first', { a: 3, c: 4, b: 2 }])
    assert.is(answer.code, undefined)
    assert.is((await send('wh.field/restore', { ...asked, dryRun: true })).changes, false)
    assert.is(
      (await send('wh.field/restore', { revision: 1, fields: ['x'] })).code,
      'REQUEST_INVALID',
    )
    assert.is(
      (await send('wh.field/restore', { revision: 9, dryRun: true })).code,
      'REVISION_NOT_FOUND',
    )
  })

  test('a revision is rehearsed as a draft, with what is missing by now', async () => {
    const sha256 = 'a'.repeat(64)
    const file = { name: 'f.txt', sha256, sizeBytes: 1, mediaType: 'text/plain' } as const
    await putPages(open, ['wh.target', 'wh.here', 'wh.topic'])
    await make('wh.lacks', page('empty'))
    await change(open.site, AS_ROOT, it =>
      attachBlob(it, 'wh.lacks', { ...file, category: 'public' }),
    )
    await put('wh.lacks', {
      ...page('old', { proto: 'strange' }),
      data: {
        posting: {
          format: 'markdown',
          source: '[a](/target/) [b](/here/) [c](/hidden/) [d](https://x.org/)',
        },
      },
      tags: { about: [{ '@id': 'wh.topic', objClass: 'ontag' }] },
    })
    await put('wh.lacks', page('new'))
    await change(open.site, AS_ROOT, it => detachBlob(it, 'wh.lacks', 'f.txt'))
    for (const path of ['wh.target', 'wh.topic']) {
      await change(open.site, AS_ROOT, it => deletePage(it, path))
    }
    const shown = await send('wh.lacks/restore', { revision: 3, draft: true, dryRun: true })

    assert.is(shown.document?.summary['title'], 'old')
    assert.equal(shown.missing, [
      { kind: 'proto', name: 'strange' },
      { kind: 'page', name: 'wh.hidden' },
      { kind: 'page', name: 'wh.target' },
      { kind: 'page', name: 'wh.topic' },
      { kind: 'file', name: 'f.txt' },
    ])
    assert.is((await read('wh.lacks')).summary['title'], 'new')
  })

  test('a deleted page comes back with all below it, there or elsewhere', async () => {
    await deletedTree('wh.tree')
    const shown = await send('wh.tree/undelete', { below: true, dryRun: true })
    const elsewhere = await send('wh.tree/undelete', { below: true, to: 'wh.wood', dryRun: true })
    const back = await send('wh.tree/undelete', { below: true })

    assert.equal(
      shown.pages?.map(({ path, to }) => [path, to]),
      [
        ['wh.tree.a', 'wh.tree.a'],
        ['wh.tree.a.b', 'wh.tree.a.b'],
      ],
    )
    assert.equal(
      shown.left?.map(({ path, why }) => [path, why]),
      [['wh.tree.taken', 'PATH_TAKEN']],
    )
    assert.equal(
      elsewhere.pages?.map(({ to }) => to),
      ['wh.wood.a', 'wh.wood.a.b', 'wh.wood.taken'],
    )
    assert.equal(back.pages, shown.pages)
    assert.equal((await read('wh.tree.a.b')).summary['title'], 'wh.tree.a.b')
    const again = await send('wh.tree/undelete', { below: true })
    assert.equal([again.path, again.pages], ['wh.tree', []])
    assert.is((await send('wh.tree/undelete', {})).code, 'PAGE_NOT_DELETED')
  })

  test('of a deleted subtree only what may be seen and was deleted after a moment comes back', async () => {
    await deletedTree('wh.late')
    const { position } = await readHead(open.site.db)
    await putPages(open, ['wh.late.x'])
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.late.x'))
    const from = `position:${position}`
    const shown = await send('wh.late/undelete', { below: true, from, dryRun: true })
    assert.equal(
      shown.pages?.map(({ path }) => path),
      ['wh.late.x'],
    )
    const never = await send('wh.late/undelete', { below: true, from: 'never' })
    assert.match(never.detail ?? '', 'from=never is no time')

    await change(open.site, AS_ROOT, it =>
      denyRole(it, { role: 'nobody', permission: 'history', pattern: '*' }),
    )
    const blind = await send('wh.late/undelete', { below: true, dryRun: true })
    assert.equal([blind.pages, blind.left], [[], []])
  })

  /** A page, a child, a grandchild and a child whose place is taken meanwhile, all deleted. */
  async function deletedTree(top: string): Promise<void> {
    const paths = [top, `${top}.a`, `${top}.a.b`, `${top}.taken`]
    await putPages(open, paths)
    for (const path of paths) await change(open.site, AS_ROOT, it => deletePage(it, path))
    await putPages(open, [`${top}.taken`])
  }

  const make = (path: string, document: Document) =>
    change(open.site, AS_ROOT, it => createPage(it, { path, document }))
  const head = async () => (await readHead(open.site.db)).position

  async function put(path: string, document: Document): Promise<void> {
    const url = `/api/pages/${path}`
    const { headers } = await open.server.inject({ url })
    const sent = { 'if-match': String(headers['etag']) }
    const answer = await open.server.inject(
      withToken(token, { method: 'PUT', url, headers: sent, payload: document }),
    )
    assert.is(answer.statusCode, 200, answer.body)
  }

  async function read(path: string): Promise<Document> {
    return (await open.server.inject({ url: `/api/pages/${path}` })).json<Document>()
  }

  async function send(what: string, payload: object): Promise<Answer> {
    const url = `/api/pages/${what}`
    return (
      await open.server.inject(withToken(token, { method: 'POST', url, payload }))
    ).json<Answer>()
  }
})
