import { change } from '../../src/commands/change.ts'
import { movePage, publishPage, restoreRevision, revisePage } from '../../src/commands/pages.ts'
import { readHead } from '../../src/log/read.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { edit, make, text } from './html-site.ts'
import { serverWithSecrets, type TestServer } from './support.ts'

interface Blamed {
  readonly revision: number
  readonly fields: { pointer: string; revision: number; lines?: { revision: number }[] }[]
  readonly revisions: { revision: number; actorName: string | null; note: string | null }[]
}

const SOURCE = '/data/posting/source'
const FIRST = ['The first line of this page.', 'The second line of it.', 'And a third one, too.']

suite('who wrote what of a page', test => {
  let open: TestServer
  let token = ''

  test.before(async () => {
    ;({ open, token } = await serverWithSecrets())
    await make(open, 'wh', text('Root', ''))
  })
  test.after(() => open.close())

  const ask = (path: string, query = '', as = '') =>
    open.server.inject({
      url: `/api/pages/${path}/blame?${query}`,
      headers: as === '' ? {} : { authorization: `Bearer ${as}` },
    })
  const read = async (path: string, query = '', as = '') => {
    const answer = await ask(path, query, as)
    assert.is(answer.statusCode, 200, answer.body)
    return answer.json<Blamed>()
  }
  const lines = ({ fields }: Blamed) =>
    fields.find(({ pointer }) => pointer === SOURCE)?.lines?.map(({ revision }) => revision)
  const save = (path: string, source: readonly string[], more = {}) =>
    edit(open, path, text('Page', source.join('\n')), more)

  test('goes through moves and restored revisions', async () => {
    const second = FIRST.with(1, 'The second line, better.')
    await make(open, 'wh.a', text('Page', FIRST.join('\n')))
    await save('wh.a', second, { note: 'Better' })
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.a', 'wh.b'))
    await save('wh.b', ['All is new here.'])
    await change(open.site, AS_ROOT, it =>
      restoreRevision(it, 'wh.b', { revision: 2, draft: false }),
    )
    const found = await read('wh.b')
    const { position } = await readHead(open.site.db)

    assert.is(found.revision, 5)
    assert.equal(lines(found), [1, 2, 1])
    assert.equal(
      found.revisions.map(({ revision, note }) => [revision, note]),
      [
        [2, 'Better'],
        [1, null],
      ],
    )
    assert.equal(lines(await read('wh.b', 'at=revision:1')), [1, 1, 1])
    assert.equal(lines(await read('wh.b', `at=position:${position - 1}`)), [4])
    assert.is((await ask('wh.b', 'at=revision:99')).statusCode, 404)
    assert.is((await ask('wh.b', 'at=position:1')).statusCode, 404)
    assert.is((await ask('wh.b', 'at=x')).statusCode, 400)
  })

  test('counts only what the reader may read: drafts are of who showed them', async () => {
    await make(open, 'wh.c', text('Page', FIRST.join('\n')))
    await save('wh.c', FIRST.with(0, 'A first line out of a draft.'), { draft: true })
    await change(open.site, AS_ROOT, async it => {
      const entity = await it.entity((await it.liveIdAt('wh.c')) ?? '')
      const source = FIRST.with(0, 'A first line out of a draft.').with(2, 'And more of it.')
      const document = text('Page', source.join('\n'))
      await revisePage(it, 'wh.c', {
        ...{ ifMatch: entity?.tipId ?? '', edit: () => document, draft: true },
      })
    })
    await save('wh.c', FIRST.with(1, 'The second line, live.'))
    const live = await read('wh.c')
    await change(open.site, AS_ROOT, it => publishPage(it, 'wh.c', 3))
    const [anyone, editor] = [await read('wh.c'), await read('wh.c', '', token)]

    assert.equal(lines(live), [1, 4, 1])
    assert.equal([anyone.revision, lines(anyone)], [3, [3, 1, 3]])
    assert.equal([editor.revision, lines(editor)], [3, [2, 1, 3]])
    assert.is((await ask('wh.c', 'at=revision:2')).statusCode, 404)
    assert.equal(lines(await read('wh.c', 'at=revision:2', token)), [2, 1, 1])
  })

  test('begins where the past may be read', async () => {
    await make(open, 'wh.secret', text('Secret', ''))
    await make(open, 'wh.secret.d', text('Page', FIRST.join('\n')))
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.secret.d', 'wh.d'))
    await save('wh.d', FIRST.with(1, 'The second line, in the open.'))

    assert.equal(lines(await read('wh.d')), [3, 3, 3])
    assert.equal(lines(await read('wh.d', '', token)), [1, 3, 1])
  })
})
