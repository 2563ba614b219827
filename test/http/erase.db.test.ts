import { change } from '../../src/commands/change.ts'
import { type Eraser, erase } from '../../src/commands/erase.ts'
import { createPage, revisePage } from '../../src/commands/pages.ts'
import { readHead } from '../../src/log/read.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { testEraser } from '../support/erasing.ts'
import { browse } from './html-site.ts'
import {
  member,
  page,
  putGrants,
  putUser,
  type TestServer,
  testServer,
  withToken,
} from './support.ts'

const GRANTS = [
  ['nobody', 'view', '*'],
  ['reader', 'history', '*'],
  ['reader', 'post.edit', '*'],
  ['reader', 'post.delete', '*'],
] as const
const SECRET = 'what nobody should read'

suite('erased pages over HTTP', test => {
  let open: TestServer
  let eraser: Eraser
  let remove: () => void
  let token = ''
  let entityId = ''
  let first = 0

  test.before(async () => {
    open = await testServer()
    const made = await testEraser(open)
    eraser = made.eraser
    remove = made.remove
    await putGrants(open, GRANTS)
    token = (await putUser(open, 'ed', ['reader'])).token
    const { result, position } = await change(open.site, { ...AS_ROOT, note: SECRET }, it =>
      createPage(it, { path: 'wh.a', document: page(SECRET) }),
    )
    entityId = result.id
    first = position ?? 0
    for (const title of ['second', 'third']) {
      await change(open.site, AS_ROOT, async it => {
        const ifMatch = (await it.entity(entityId))?.sinceId ?? ''
        return revisePage(it, 'wh.a', { ifMatch, edit: () => page(title) })
      })
    }
    await get('/a/?revision=1')
    await erasing(new Set([1]))
  })
  test.after(async () => {
    remove()
    await open.close()
  })
  const erasing = (wanted: 'whole' | Set<number>) =>
    erase(eraser, {
      ...{ entityId, wanted, actor: 'root', door: 'cli', reason: 'a reason', keepsShown: true },
    })
  const get = (url: string) => open.server.inject(withToken(token, { url }))

  test('say 410 and when, wherever the revision is asked for', async () => {
    for (const url of [
      ...['/api/pages/wh.a?at=revision:1', `/api/pages/wh.a?at=position:${first}`],
      ...['/api/pages/wh.a/revisions/1', '/api/pages/wh.a/diff?from=1&to=2'],
    ]) {
      const { statusCode, body } = await get(url)

      assert.equal([url, statusCode, member(body, 'code')], [url, 410, 'ERASED'])
      assert.match(String(member(body, 'detail')), /was erased on \d{4}-.* by root/)
    }
    const restored = await open.server.inject(
      withToken(token, {
        url: '/api/pages/wh.a/restore',
        method: 'POST',
        payload: { revision: 1 },
      }),
    )
    assert.equal([restored.statusCode, member(restored.body, 'code')], [410, 'ERASED'])
  })

  test('tell those who may not read the past what they are told of any revision', async () => {
    const codes = async (revision: number) =>
      Promise.all(
        [`/api/pages/wh.a?at=revision:${revision}`, `/api/pages/wh.a/revisions/${revision}`].map(
          async url => (await open.server.inject({ url })).statusCode,
        ),
      )

    assert.equal(await codes(1), await codes(2))
  })

  test('leave the other revisions as they were', async () => {
    for (const [revision, title] of [
      [2, 'second'],
      [3, 'third'],
    ] as const) {
      const { body } = await get(`/api/pages/wh.a?at=revision:${revision}`)
      assert.equal((member(body, 'summary') as { title: unknown }).title, title)
    }
    assert.is((await get('/api/pages/wh.a')).statusCode, 200)
    const { body } = await get(`/api/pages?parent=wh&at=position:${first}`)
    assert.not.match(body, /wh\.a"/)
  })

  test('say in lists and in the feed that it was erased, and nothing else of it', async () => {
    const { body: list } = await get('/api/pages/wh.a/revisions')
    const { body: feed } = await get('/api/log?limit=1000')
    const erased = (body: string) =>
      (member(body, 'items') as { type: string; erased: boolean; note: unknown; data?: unknown }[])
        .filter(item => item.erased)
        .map(({ type, note, data = null }) => [type, note, data])

    assert.equal(erased(list), [['PageCreated', null, null]])
    assert.equal(erased(feed), [['PageCreated', null, null]])
    assert.not.match(list + feed, new RegExp(`${SECRET}|standIns`))
    assert.match(list, /"type":"Erased".*"note":"a reason"/)
  })

  test('say it in HTML too', async () => {
    const revision = await open.server.inject(withToken(token, browse('/a/?revision=1')))
    const history = await open.server.inject(withToken(token, browse('/a/history.html')))

    assert.is(revision.statusCode, 410)
    assert.match(revision.body, /This was erased[\s\S]*was erased on/)
    assert.match(history.body, /badge erased">Erased/)
    assert.match(history.body, /what revision 1 said/)
    assert.not.match(history.body + revision.body, new RegExp(SECRET))
  })

  test('are as deleted when all is erased, and cannot be brought back', async () => {
    await erasing('whole')
    const { position } = await readHead(open.site.db)
    const undeleted = await open.server.inject(
      withToken(token, { url: '/api/pages/wh.a/undelete', method: 'POST', payload: {} }),
    )
    const past = await get(`/api/pages/wh.a?at=position:${position - 1}`)
    const { body: feed } = await get('/api/log?limit=1000')

    assert.is((await get('/api/pages/wh.a')).statusCode, 410)
    assert.is((await open.server.inject(browse('/a/'))).statusCode, 410)
    assert.equal([undeleted.statusCode, member(undeleted.body, 'code')], [410, 'ERASED'])
    assert.equal([past.statusCode, member(past.body, 'code')], [410, 'ERASED'])
    assert.not.match(feed, /second|third/)
    const made = await open.server.inject(
      withToken(token, {
        url: '/api/pages',
        method: 'POST',
        payload: { path: 'wh.a', ...page('another') },
      }),
    )
    assert.is(made.statusCode, 201)
  })

  test('are a user no longer: nothing logs in', async () => {
    const { id, token: other } = await putUser(open, 'gone', ['reader'])
    const whoami = () =>
      open.server.inject(withToken(other, { url: '/api/pages/wh.a?at=revision:1' }))
    const before = (await whoami()).statusCode

    await erase(eraser, {
      ...{ entityId: id, wanted: 'whole', actor: 'root', door: 'cli' },
      ...{ reason: null, keepsShown: true },
    })

    assert.equal([before, (await whoami()).statusCode], [200, 401])
    const secrets = await open.site.db.rows(
      'select from credential_secrets where entity_id = $1::uuid',
      [id],
    )
    assert.equal(secrets, [])
    assert.is((await get('/api/users/gone')).statusCode, 404)
  })
})
