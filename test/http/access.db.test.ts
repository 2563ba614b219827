import { change } from '../../src/commands/change.ts'
import { createPage, deletePage, movePage } from '../../src/commands/pages.ts'
import { denyRole } from '../../src/commands/rights.ts'
import { type AccessState, oracle } from '../access/oracle.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { page, putGrants, putUser, type TestServer, testServer, withToken } from './support.ts'

type Grant = [role: string, permission: string, pattern: string]

/** What became of each path; `at` is where it is now. */
const LIVE = ['wh', 'wh.open', 'wh.open.child', 'wh.secret', 'wh.secret.child', 'wh.users.ann']
const HIDDEN = 'wh.open.hidden'
const DRAFT = 'wh.open.draft'
const DELETED = 'wh.secret.deleted'
const MOVED: [string, string][] = [
  ['wh.secret.was', 'wh.open.now'],
  ['wh.open.was', 'wh.secret.now'],
]
const PATHS = [...LIVE, HIDDEN, DRAFT, DELETED, ...MOVED.flat(), 'wh.nothing', 'wh.secret.nothing']
const PERMISSIONS = [
  'view',
  'history',
  'viewdraft',
  'post.edit',
  'post.delete',
  'user.edit',
  'grant',
]
const PATTERNS = ['*', 'wh', 'wh.!secret.*', 'wh.open.*', 'wh.secret.*', '*.child', 'wh.!users.*']
const USERS = [null, 'ann', 'bob', 'eve'] as const
const ROUNDS = 12

suite('access over HTTP', test => {
  let open: TestServer
  const tokens = new Map<string, string>()
  let seed = 20261122
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor((seed / 2147483648) * below)
  }

  test.before(async () => {
    open = await testServer()
    for (const login of ['ann', 'bob', 'eve']) {
      tokens.set(login, (await putUser(open, login, [`r_${login}`])).token)
    }
    const make = (path: string, more = {}, draft = false) =>
      change(open.site, AS_ROOT, it => createPage(it, { path, document: page(path, more), draft }))
    for (const path of LIVE) if (path !== 'wh.users.ann') await make(path)
    await make(HIDDEN, { hidden: true })
    await make(DRAFT, {}, true)
    await make(DELETED)
    await change(open.site, AS_ROOT, it => deletePage(it, DELETED))
    for (const [from, to] of MOVED) {
      await make(from)
      await change(open.site, AS_ROOT, it => movePage(it, from, to))
    }
  })
  test.after(() => open.close())

  const send = (
    user: string | null,
    request: {
      url: string
      method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
      payload?: object
      headers?: Record<string, string>
    },
  ) => open.server.inject(user === null ? request : withToken(tokens.get(user) ?? '', request))

  for (let round = 0; round < ROUNDS; round++) {
    test(`everyone sees what the oracle says, and no more (grants ${round})`, async () => {
      const grants: Grant[] = Array.from({ length: 3 + random(12) }, () => [
        ['nobody', 'r_ann', 'r_bob', 'r_eve'][random(4)] ?? '',
        PERMISSIONS[random(PERMISSIONS.length)] ?? '',
        PATTERNS[random(PATTERNS.length)] ?? '',
      ])
      await putGrants(open, grants)
      const state: AccessState = {
        grants: grants.map(([role, permission, pattern]) => ({ role, permission, pattern })),
        roles: { ann: ['r_ann'], bob: ['r_bob'], eve: ['r_eve'] },
      }
      for (const user of USERS) await look(state, user)
      for (const [role, permission, pattern] of grants) {
        await change(open.site, AS_ROOT, it => denyRole(it, { role, permission, pattern }))
      }
    })
  }

  async function look(state: AccessState, user: string | null): Promise<void> {
    const may = (permission: string, path: string) => oracle(state, user, permission, path)
    const refused = user === null ? 401 : 403
    const { position: head } = JSON.parse((await open.server.inject('/health/ready')).body) as {
      position: number
    }
    for (const path of PATHS) {
      const where = `${user} ${path} ${JSON.stringify(state.grants)}`
      const is = async (expected: number, url: string) => {
        const answer = await send(user, { url })
        assert.is(answer.statusCode, expected, `${url} ${where} ${answer.body}`)
      }
      await is(live(path, may), `/api/pages/${path}`)
      await is(past(path, may, refused), `/api/pages/${path}?at=position:${head}`)
      await is(revisions(path, may, refused), `/api/pages/${path}/revisions`)
      const one = revisions(path, may, refused)
      await is(one === 200 ? first(path, may) : one, `/api/pages/${path}/revisions/1`)
      await is(one === 200 ? first(path, may) : one, `/api/pages/${path}/diff?from=1&to=1`)
      const put = await send(user, {
        method: 'PUT',
        url: `/api/pages/${path}`,
        payload: page('x'),
        headers: { 'if-match': '"stale"' },
      })
      assert.is(
        put.statusCode,
        write('post.edit', path, may, refused, 412),
        `PUT ${where} ${put.body}`,
      )
      const gone = write('post.delete', path, may, refused, 412)
      const removed = await send(user, {
        method: 'DELETE',
        url: `/api/pages/${path}`,
        headers: { 'if-match': '"stale"' },
      })
      // a page may not be deleted with a stale ETag, whoever asks: only what may not be seen differs
      assert.ok(
        removed.statusCode === gone || (gone === refused && removed.statusCode === 412),
        `DELETE ${where} ${removed.body}`,
      )
    }
    const list = await send(user, { url: '/api/pages?limit=200' })
    const { items } = JSON.parse(list.body) as { items: { path: string }[] }
    const all = [...LIVE, 'wh.users.bob', 'wh.users.eve', ...MOVED.map(([, to]) => to)]
    assert.equal(
      items.map(item => item.path),
      all.filter(path => may('view', path)).sort(),
      `${user} list`,
    )
    const hidden = await send(user, { url: '/api/pages?limit=200&hidden=true' })
    assert.is(hidden.body.includes(`"${HIDDEN}"`), may('view', HIDDEN) && may('post.edit', HIDDEN))
    await lookAtLog(user, may)
  }

  async function lookAtLog(user: string | null, may: May): Promise<void> {
    const log = await send(user, { url: '/api/log?limit=1000' })
    const { items } = JSON.parse(log.body) as {
      items: { type: string; path: string | null; data: Record<string, unknown> }[]
    }
    const pastOf = (...paths: string[]) =>
      paths.every(path => may('view', path) && may('history', path))
    const created = items.filter(item => item.type === 'PageCreated').map(item => item.path)
    const expected = [
      ...[...LIVE, HIDDEN, DELETED, 'wh.users.bob', 'wh.users.eve'].filter(path => pastOf(path)),
      ...(pastOf(DRAFT) && may('viewdraft', DRAFT) ? [DRAFT] : []),
      ...MOVED.filter(([from, to]) => pastOf(from, to)).map(([from]) => from),
    ]
    assert.equal([...created].sort(), expected.sort(), `${user} log`)
    assert.is(
      items.some(item => item.type === 'RolePermitted'),
      may('grant', 'wh'),
    )
  }
})

type May = (permission: string, path: string) => boolean

function live(path: string, may: May): number {
  if (!may('view', path)) return 404
  if (LIVE.includes(path) || path === HIDDEN || MOVED.some(([, to]) => to === path)) return 200
  if (path === DRAFT) return may('viewdraft', path) ? 200 : 404
  if (path === DELETED) return 410
  const moved = MOVED.find(([from]) => from === path)
  return moved && may('view', moved[1]) ? 308 : 404
}

function past(path: string, may: May, refused: number): number {
  if (!may('view', path)) return 404
  if (!may('history', path)) return refused
  if (LIVE.includes(path) || path === HIDDEN || MOVED.some(([, to]) => to === path)) return 200
  if (path === DELETED) return 410
  const moved = MOVED.find(([from]) => from === path)
  return moved && may('view', moved[1]) && may('history', moved[1]) ? 308 : 404
}

function revisions(path: string, may: May, refused: number): number {
  if (!may('view', path)) return 404
  if (!may('history', path)) return refused
  if (LIVE.includes(path) || path === HIDDEN || path === DELETED) return 200
  if (path === DRAFT) return may('viewdraft', path) ? 200 : 404
  return MOVED.some(([, to]) => to === path) ? 200 : 404
}

/** Revision 1: of a page that moved it was elsewhere. */
function first(path: string, may: May): number {
  const was = MOVED.find(([, to]) => to === path)?.[0] ?? path
  return may('view', was) && may('history', was) ? 200 : 404
}

function write(permission: string, path: string, may: May, refused: number, done: number): number {
  if (!may('view', path)) return 404
  if (path === DELETED) return 410
  const there = LIVE.includes(path) || path === HIDDEN || MOVED.some(([, to]) => to === path)
  if (!there && !(path === DRAFT && may('viewdraft', path))) return 404
  return may(permission, path) ? done : refused
}
