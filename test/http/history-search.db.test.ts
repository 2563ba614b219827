import { change } from '../../src/commands/change.ts'
import { deletePage, movePage } from '../../src/commands/pages.ts'
import type { Following } from '../../src/projector/follow.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { edit, follow, found, make, text } from './html-site.ts'
import { serverWithSecrets, type TestServer } from './support.ts'

interface Event {
  readonly revision: number
  readonly type: string
  readonly note: string | null
}
interface Part {
  readonly items: {
    path: string
    sentence: string
    times: { appeared: Event | null; vanished: Event | null; stands: boolean }[]
  }[]
  readonly next: string | null
}

suite('search in the history', test => {
  let open: TestServer
  let following: Following
  let token = ''

  test.before(async () => {
    ;({ open, token } = await serverWithSecrets())
    await make(open, 'wh', text('Root', ''))
    await make(open, 'wh.a', text('A', 'The mill turns. It is old.'))
    await edit(open, 'wh.a', text('A', 'The mill turns slowly. It is old.'), { note: 'Slower' })
    await edit(open, 'wh.a', text('A', 'It is **very** old.'))
    await edit(open, 'wh.a', text('A', 'The mill turns slowly, it is said. It is very old.'))
    await edit(open, 'wh.a', text('A', 'Purple prose nobody saw.'), { draft: true })
    await make(open, 'wh.secret', text('Secret', 'The mill turns slowly in secret.'))
    await make(open, 'wh.secret.b', text('B', 'The mill turns slowly, hidden.'))
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.secret.b', 'wh.b'))
    await edit(open, 'wh.b', text('B', 'The mill turns slowly, seen by all.'))
    await make(open, 'wh.c', text('C', 'The mill turns slowly until it goes.'))
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.c'))
    following = await follow(open)
    await found(open)
  })
  test.after(async () => {
    await following.stop()
    await open.close()
  })

  const ask = (query: string, as = '') =>
    open.server.inject({
      url: `/api/history/search?${query}`,
      headers: as === '' ? {} : { authorization: `Bearer ${as}` },
    })
  const get = async (query: string, as = '') => {
    const answer = await ask(query, as)
    assert.is(answer.statusCode, 200, answer.body)
    return answer.json<Part>()
  }
  const told = ({ items }: Part) =>
    items.map(({ path, times }) => [
      path,
      ...times.map(({ appeared, vanished, stands }) =>
        stands
          ? `${appeared?.revision} stands`
          : `${appeared?.revision}-${vanished?.revision ?? '?'}`,
      ),
    ])

  test('tells when a sentence came and went, and who did it', async () => {
    const { items } = await get('q=the mill TURNS slowly&under=wh.a')
    const [page] = items

    assert.equal(told({ items, next: null }), [['wh.a', '4 stands', '2-3']])
    assert.is(page?.sentence, 'The mill turns slowly, it is said.')
    assert.is(page?.times[1]?.appeared?.note, 'Slower')
    assert.equal(told(await get('q=It is old')), [['wh.a', '1-3']])
    assert.equal(told(await get('q=is very old')), [['wh.a', '3 stands']])
    assert.equal(told(await get('q=slowly, it is said. It is very')), [['wh.a', '4 stands']])
  })

  test('takes words as whole words in their order, and only what readers saw', async () => {
    for (const q of ['turns mill', 'the mil', 'old the', 'purple prose', 'nothing of it']) {
      assert.equal((await get(`q=${q}`, token)).items, [], q)
    }
  })

  test('tells of deleted pages, and of those out of sight only what may be known', async () => {
    const anyone = await get('q=mill turns slowly')
    const editor = await get('q=mill turns slowly', token)

    assert.equal(told(anyone), [
      ['wh.c', '1-2'],
      ['wh.b', '2 stands'],
      ['wh.a', '4 stands', '2-3'],
    ])
    assert.is(anyone.items[0]?.times[0]?.vanished?.type, 'PageDeleted')
    assert.is(anyone.items[1]?.times[0]?.appeared?.type, 'PageMoved')
    assert.equal(told(editor), [
      ['wh.c', '1-2'],
      ['wh.b', '1 stands'],
      ['wh.secret', '1 stands'],
      ['wh.a', '4 stands', '2-3'],
    ])
    assert.equal(told(await get('q=hidden')), [['wh.b', '2-3']])
    assert.equal((await get('q=in secret')).items, [])
    assert.equal(told(await get('q=hidden', token)), [['wh.b', '1-3']])
  })

  test('comes a part at a time', async () => {
    const all = await get('q=mill turns slowly', token)
    const items: Part['items'][number][] = []
    let after = ''
    for (let parts = 0; parts < 9; parts++) {
      const part = await get(`q=mill turns slowly&limit=1${after}`, token)
      items.push(...part.items)
      if (part.next === null) break
      after = `&after=${part.next}`
    }

    assert.equal(items, all.items)
    assert.is((await ask(`q=mill${after}`)).statusCode, 400)
  })

  test('refuses what has no words, and what it does not know', async () => {
    for (const query of ['', 'q=', 'q=…', 'q=a&x=1', 'q=a&limit=51', 'q=a&under=..']) {
      assert.is((await ask(query)).statusCode, 400, query)
    }
    assert.is((await ask(`q=${'a'.repeat(501)}`)).statusCode, 400)
  })
})
