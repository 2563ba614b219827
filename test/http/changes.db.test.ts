import { change } from '../../src/commands/change.ts'
import { createPage, deletePage, movePage, revisePage } from '../../src/commands/pages.ts'
import { readHead } from '../../src/log/read.ts'
import type { Following } from '../../src/projector/follow.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { follow, found } from './html-site.ts'
import {
  member,
  page,
  putGrants,
  putPages,
  putUser,
  type TestServer,
  testServer,
} from './support.ts'

interface Change {
  readonly type: string
  readonly path: string | null
  readonly was: string | null
  readonly now: string | null
  readonly title: string | null
}
interface Save {
  readonly save: number
  readonly position: number
  readonly actorName: string | null
  readonly note: string | null
  readonly changes: Change[]
}
interface Part {
  readonly items: Save[]
  readonly next: string | null
}

suite('what changed on the site', test => {
  let open: TestServer
  let following: Following
  let token = ''
  let head = 0

  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ['nobody', 'view', 'wh.!secret.*'],
      ['nobody', 'history', 'wh.!secret.*'],
      ['editor', 'view', '*'],
      ['editor', 'history', '*'],
      ['editor', 'grant', '*'],
    ])
    const user = await putUser(open, 'ed', ['editor'])
    token = user.token
    await putPages(open, ['wh', 'wh.secret', 'wh.blog', 'wh.blog.one', 'wh.blog.two'])
    head = (await readHead(open.site.db)).position
    await change(open.site, { ...AS_ROOT, note: 'All of it' }, it =>
      movePage(it, 'wh.blog', 'wh.notes'),
    )
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.notes.two', 'wh.secret.two'))
    await change(open.site, AS_ROOT, it =>
      createPage(it, { path: 'wh.draft', document: page('Hush'), draft: true }),
    )
    await change(open.site, AS_ROOT, async it => {
      const entity = await it.entity((await it.liveIdAt('wh.notes.one')) ?? '')
      const ifMatch = entity?.sinceId ?? ''
      await revisePage(it, 'wh.notes.one', { ifMatch, edit: () => page('Number one') })
    })
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.secret'))
    following = await follow(open)
    await found(open)
  })
  test.after(async () => {
    await following.stop()
    await open.close()
  })

  const get = async (query: string, authorization = ''): Promise<Part> => {
    const answer = await open.server.inject({
      url: `/api/changes?${query}`,
      headers: authorization === '' ? {} : { authorization: `Bearer ${authorization}` },
    })
    assert.is(answer.statusCode, 200, answer.body)
    return answer.json<Part>()
  }
  const told = ({ items }: Part) =>
    items.map(({ changes }) => changes.map(({ type, path }) => `${type} ${path}`).join(', '))

  test('is told save by save, newest first', async () => {
    const { items } = await get(`from=position:${head}&under=wh.notes`, token)

    assert.equal(
      items.map(({ changes }) => changes.map(({ type, path }) => `${type} ${path}`)),
      [
        ['PageRevised wh.notes.one'],
        ['PageMoved wh.secret.two'],
        ['PageMoved wh.notes.two', 'PageMoved wh.notes.one', 'PageMoved wh.notes'],
      ],
    )
    assert.equal([items[2]?.save, items[2]?.position], [head + 1, head + 3])
    assert.equal([items[2]?.note, items[2]?.actorName], ['All of it', null])
    assert.equal(items[0]?.changes[0]?.title, 'Number one')
    assert.equal(items[1]?.changes[0]?.was, 'wh.notes.two')
  })

  test('is chosen by time, part of the site, author and type', async () => {
    const moved = await get('type=PageMoved', token)
    const before = await get(`to=position:${head}&under=wh.blog`, token)

    assert.equal(told(moved).length, 2)
    assert.equal(told(before), [
      'PageCreated wh.blog.two',
      'PageCreated wh.blog.one',
      'PageCreated wh.blog',
    ])
    assert.equal((await get('author=ed', token)).items, [])
    assert.equal((await get('author=no-such', token)).items, [])
    assert.equal(await get('author=root', token), await get('', token))
    assert.equal((await get(`from=position:${head}&to=position:${head}`, token)).items, [])
  })

  test('is not told to those who may not read all of its paths, then and now', async () => {
    const { items } = await get('limit=100')
    const paths = items.flatMap(({ changes }) => changes.flatMap(it => [it.path, it.was, it.now]))

    assert.ok(items.length >= 5)
    assert.equal(
      paths.filter(path => path?.includes('secret') || path?.includes('draft')),
      [],
    )
    assert.equal(
      paths.filter(path => path?.endsWith('two')),
      [],
    )
    assert.equal(
      items.find(({ note }) => note === 'All of it')?.changes.map(({ path }) => path),
      ['wh.notes.one', 'wh.notes'],
    )
  })

  test('comes a part at a time, without end or gap', async () => {
    const all = await get('limit=100', token)
    const items: Save[] = []
    let after = ''
    for (let parts = 0; parts < 50; parts++) {
      const part = await get(`limit=2${after}`, token)
      items.push(...part.items)
      if (part.next === null) break
      after = `&after=${part.next}`
    }

    assert.equal(items, all.items)
    assert.is(all.items.flatMap(({ changes }) => changes).length > 12, true)
  })

  test('refuses what it does not know', async () => {
    const { next } = await get('limit=1', token)
    for (const query of [
      'from=revision:1',
      'to=position:99999',
      'from=x',
      'under=a..b',
      'type=x',
      'limit=101',
      'at=position:1',
      `under=wh&limit=1&after=${next}`,
    ]) {
      const answer = await open.server.inject(`/api/changes?${query}`)
      assert.is(answer.statusCode, 400, query)
    }
  })

  test('names the end of the stretch that is no time', async () => {
    for (const [query, named] of [
      ['from=x&to=position:1', 'from=x '],
      ['from=position:1&to=x', 'to=x '],
      ['from=revision:1', 'from=revision:1 '],
      ['to=position:99999', 'to=position:99999 '],
    ] as const) {
      for (const url of [`/api/changes?${query}`, `/api/changes/density?${query}`]) {
        const { body } = await open.server.inject(url)

        assert.is(member(body, 'code'), 'AT_INVALID', url)
        assert.match(String(member(body, 'detail')), named)
        assert.is(member(body, 'parameter'), named.split('=')[0])
      }
    }
  })

  test('is counted by time, as far as one may hear of it', async () => {
    const { actorName: _, position } = (await get('limit=1', token)).items[0] as Save
    const counted = async (query: string, as = '') => {
      const answer = await open.server.inject({
        url: `/api/changes/density?${query}`,
        headers: as === '' ? {} : { authorization: `Bearer ${as}` },
      })
      const found = answer.json<{
        exact: boolean
        stretches: { count: number; position: number }[]
      }>()
      const count = found.stretches.reduce((sum, stretch) => sum + stretch.count, 0)
      return { count, last: found.stretches.at(-1)?.position, exact: found.exact }
    }
    const changesOf = async (query: string, as = '') =>
      (await get(`${query}&limit=100`, as)).items.flatMap(({ changes }) => changes).length

    assert.equal(await counted('stretches=7', token), {
      count: await changesOf('', token),
      last: position,
      exact: true,
    })
    assert.is((await counted('')).count, await changesOf(''))
    assert.is((await counted('under=wh.secret')).count, 0)
    assert.is((await counted('under=wh.notes')).count, await changesOf('under=wh.notes'))
    assert.is((await counted(`from=position:${position}`)).count, 0)
  })

  test('has a feed', async () => {
    const answer = await open.server.inject('/changes.atom?under=wh.notes')
    const etag = String(answer.headers.etag)
    const again = await open.server.inject({
      url: '/changes.atom?under=wh.notes',
      headers: { 'if-none-match': etag },
    })

    assert.match(String(answer.headers['content-type']), /^application\/atom\+xml/)
    assert.match(answer.body, '<title>Changes of wh</title>')
    assert.match(answer.body, '<title>Number one: changed</title>')
    assert.match(answer.body, 'and 1 more change: moved</title>')
    assert.match(answer.body, 'href="/notes/one/history.html"')
    assert.not.match(answer.body, /secret|Hush/)
    assert.is(again.statusCode, 304)
  })
})
