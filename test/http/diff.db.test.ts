import { attachBlob } from '../../src/commands/blobs.ts'
import { change } from '../../src/commands/change.ts'
import { deletePage, movePage } from '../../src/commands/pages.ts'
import { readHead } from '../../src/log/read.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { attachPicture, edit, make, text } from './html-site.ts'
import { member, serverWithSecrets, type TestServer } from './support.ts'

interface Readable {
  readonly from: number
  readonly to: number
  readonly patch: { op: string; path: string }[]
  readonly changes: { label: string; pointer: string; kind: string; after?: unknown }[]
  readonly files: { name: string; before: unknown; after: { url: string } | null }[]
}

suite('how a page differs between two times', test => {
  let open: TestServer
  let token = ''
  const positions: number[] = []
  const mark = async () => positions.push((await readHead(open.site.db)).position)

  test.before(async () => {
    ;({ open, token } = await serverWithSecrets())
    await make(open, 'wh', text('Root', ''))
    await mark()
    await make(open, 'wh.secret', text('Secret', ''))
    await make(open, 'wh.secret.a', text('A', 'One line.\nAnother line.'))
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.secret.a', 'wh.a'))
    await mark()
    await edit(open, 'wh.a', text('A', 'One line.\nAnother long line.'))
    await attachPicture(open, 'wh.a')
    await change(open.site, AS_ROOT, it =>
      attachBlob(it, 'wh.a', {
        ...{ name: 'p.txt', sha256: 'a'.repeat(64), sizeBytes: 1, mediaType: 'text/plain' },
        category: 'private',
      }),
    )
    await edit(open, 'wh.a', text('A draft', 'Hush.'), { draft: true })
    await mark()
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.a', 'wh.b'))
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.b'))
    await mark()
  })
  test.after(() => open.close())

  const ask = (query: string, as = token, accept = 'application/json') =>
    open.server.inject({
      url: `/api/pages/wh.b/diff?${query}`,
      headers: { accept, ...(as !== '' && { authorization: `Bearer ${as}` }) },
    })
  const read = async (query: string, as = token) => {
    const answer = await ask(`${query}&form=readable`, as)
    assert.is(answer.statusCode, 200, answer.body)
    return answer.json<Readable>()
  }

  test('takes positions and instants beside revisions, and means what readers saw then', async () => {
    const [, moved, edited, end] = positions
    const found = await read(`from=position:${moved}&to=position:${edited}`)
    const same = await read(`from=1&to=3`)
    const gone = await read(`from=position:${edited}&to=position:${end}`)

    assert.equal([found.from, found.to], [1, 3])
    assert.equal(found.patch, same.patch)
    assert.equal(
      found.changes.map(({ label, kind }) => [label, kind]),
      [['Text', 'text']],
    )
    assert.equal(
      gone.changes.map(({ label, kind, after }) => [label, kind, after]),
      [
        ['Place', 'changed', 'wh.b'],
        ['State', 'changed', 'deleted'],
      ],
    )
  })

  test('tells of files, of private ones only to who may edit, with where each was', async () => {
    const { files } = await read(`from=position:${positions[1]}&to=position:${positions[2]}`)

    assert.equal(
      files.map(({ name, before, after }) => [name, before, after?.url]),
      [['infile.svg', null, `/a/$file/infile.svg?at=position:${positions[2]}`]],
    )
  })

  test('hides drafts and stretches of the past that may not be read', async () => {
    const [first, moved, edited] = positions
    assert.is((await ask('from=1&to=3', '')).statusCode, 404)
    assert.is((await ask('from=3&to=6', '')).statusCode, 404)
    assert.is((await ask('from=3&to=6')).statusCode, 200)
    assert.is((await ask(`from=position:${moved}&to=position:${edited}`, '')).statusCode, 200)
    assert.is((await ask(`from=position:${first}&to=3`)).statusCode, 404)
  })

  test('refuses what is no time', async () => {
    for (const query of ['from=1', 'from=0&to=1', 'from=x&to=1', 'from=1&to=position:999']) {
      assert.is((await ask(query)).statusCode, 400, query)
    }
    const later = new Date(Date.now() + 86_400_000).toISOString()
    assert.is((await ask(`from=1&to=${later}`)).statusCode, 400)
    assert.match(String(member((await ask('from=x&to=1')).body, 'detail')), 'from=x ')
    assert.match(
      String(member((await ask('from=1&to=position:999')).body, 'detail')),
      'to=position',
    )
    assert.match(String(member((await ask(`from=${later}&to=1`)).body, 'detail')), 'from=')
    assert.is((await ask('from=1&to=99')).statusCode, 404)
  })

  test('is shown to people, with pictures side by side', async () => {
    const [, moved, edited] = positions
    const { body, headers } = await ask(
      `from=position:${moved}&to=position:${edited}`,
      token,
      'text/html',
    )

    assert.match(String(headers['content-type']), /^text\/html/)
    assert.match(
      body,
      `<img src="/a/$file/infile.svg?at=position:${edited}" alt="infile.svg, after"`,
    )
    assert.match(body, 'Before: no such file')
    assert.match(body, '<ins>long ')
  })
})
