import { change } from '../../src/commands/change.ts'
import { denyRole } from '../../src/commands/rights.ts'
import { readHead } from '../../src/log/read.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { page, putUser, serverWithEditor, type TestServer, withToken } from './support.ts'

interface Undone {
  undo: string | null
  dryRun: boolean
  position: number
  pages: {
    path: string
    to: string | null
    steps: string[]
    conflicts: { path: string }[]
    facts: { kind: string; key: string; value: unknown }[]
  }[]
  left: { path: string; why: string; fact?: { kind: string; key: string } }[]
}

suite('undo over HTTP', test => {
  let open: TestServer
  let ann = ''
  let eve = ''
  test.before(async () => {
    ;({ open, token: ann } = await serverWithEditor())
    eve = (await putUser(open, 'eve', ['editor'])).token
    await send(ann, 'POST', '/api/pages', { path: 'wh.a', ...page('a') })
    await send(eve, 'POST', '/api/pages/wh.a/move', { to: 'wh.b' })
    await send(eve, 'POST', '/api/pages', { path: 'wh.spam', ...page('spam') })
  })
  test.after(() => open.close())

  test('shows what it would do, does it, and takes it back', async () => {
    const { position } = await readHead(open.site.db)
    const asked = { user: 'eve', under: 'wh' }
    const shown = (await send(ann, 'POST', '/api/undo', { ...asked, dryRun: true })).json<Undone>()
    assert.equal([shown.undo, shown.dryRun, shown.position], [null, true, position])
    const answer = await send(ann, 'POST', '/api/undo', { ...asked, note: 'spam' })
    const done = answer.json<Undone>()

    assert.equal(done.pages, shown.pages)
    assert.equal(
      done.pages.map(({ path, to, steps }) => [path, to, steps]),
      [
        ['wh.spam', null, ['delete']],
        ['wh.b', 'wh.a', ['move']],
      ],
    )
    assert.is(done.left.map(({ path }) => path).includes('wh.a'), false)
    assert.is(Number(answer.headers['rm3-position']), done.position)
    assert.is((await get('/api/pages/wh.a')).statusCode, 200)
    assert.is((await get('/api/pages/wh.spam')).statusCode, 410)
    const [newest] = (await get('/api/pages/wh.a/revisions')).json<{ items: { note: string }[] }>()
      .items
    assert.is(newest?.note, 'spam')

    const back = (await send(ann, 'POST', '/api/undo', { undo: done.undo })).json<Undone>()
    assert.equal(
      back.pages.map(({ path, to, steps }) => [path, to, steps]),
      [
        ['wh.a', 'wh.b', ['move']],
        ['wh.spam', null, ['undelete']],
      ],
    )
    const nothing = (await send(ann, 'POST', '/api/undo', { undo: done.undo })).json<Undone>()
    assert.equal([nothing.undo, nothing.pages], [null, []])
  })

  test('refuses what it cannot understand, and another’s token', async () => {
    const status = async (body: object) => (await send(ann, 'POST', '/api/undo', body)).statusCode
    const { items } = (await open.server.inject(withToken(eve, { url: '/api/tokens' }))).json<{
      items: { id: string }[]
    }>()

    assert.is(await status({}), 400)
    assert.is(await status({ user: 'eve', from: 'never' }), 400)
    const never = await send(ann, 'POST', '/api/undo', { user: 'eve', to: 'never' })
    assert.match(never.json<{ detail: string }>().detail, 'to=never is no time')
    assert.is(await status({ user: 'eve', under: '..' }), 400)
    assert.is(await status({ token: 'x' }), 400)
    assert.is(await status({ token: items[0]?.id }), 404)
    assert.is(await status({ user: 'nobody_here' }), 200)
    assert.is((await send(eve, 'POST', '/api/undo', { token: items[0]?.id })).statusCode, 200)
    await send(eve, 'POST', '/api/undo', { user: 'eve' })
  })

  test('voids tokens that were made, but not the one it is asked with', async () => {
    const made = async () =>
      (await send(eve, 'POST', '/api/tokens', {})).json<{ id: string; token: string }>()
    const [own, other] = [await made(), await made()]

    const { pages, left } = (
      await send(own.token, 'POST', '/api/undo', { user: 'eve' })
    ).json<Undone>()
    const facts = pages.flatMap(it => it.facts)
    assert.equal(facts, [{ kind: 'credential', key: other.id, value: null }])
    assert.equal(
      left.map(({ why, fact }) => [why, fact?.key]),
      [['in_use', own.id]],
    )
    const status = async (token: string) =>
      (await open.server.inject(withToken(token, { url: '/api/tokens' }))).statusCode
    assert.equal([await status(own.token), await status(other.token)], [200, 401])
  })

  test('is nothing for whom the pages are closed', async () => {
    await send(eve, 'POST', '/api/pages', { path: 'wh.more', ...page('more') })
    await change(open.site, AS_ROOT, it =>
      denyRole(it, { role: 'nobody', permission: 'history', pattern: '*' }),
    )
    const { pages, left } = (await send(ann, 'POST', '/api/undo', { user: 'eve' })).json<Undone>()

    assert.equal([pages, left], [[], []])
  })

  const send = (token: string, method: 'POST', url: string, payload: object) =>
    open.server.inject(withToken(token, { method, url, payload }))
  const get = (url: string) => open.server.inject({ url })
})
