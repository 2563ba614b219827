import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { createToken, revokeCredential } from '../../src/commands/accounts.ts'
import { change } from '../../src/commands/change.ts'
import { deletePage } from '../../src/commands/pages.ts'
import { assignUser, deassignUser, denyRole, permitRole } from '../../src/commands/rights.ts'
import { buildServer } from '../../src/http/server.ts'
import { readLog } from '../../src/log/read.ts'
import { type OpenSite, openSite } from '../../src/open-site.ts'
import type { Db } from '../../src/pg/db.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, TEST_SITE } from '../support/database.ts'
import {
  member,
  putGrants,
  putPages,
  putUser,
  type TestServer,
  testServer,
  withToken,
} from './support.ts'

const PATH = 'wh.page'
const EDIT = ['editor', 'post.edit', '*'] as const

let open: TestServer
/** Another process on the same database. */
let other: OpenSite
let others: FastifyInstance
let asked: string[] = []
let turn = 0

suite('a token that was looked up lately', test => {
  test.before(async () => {
    open = await testServer()
    other = await openSite({ url: open.url, site: TEST_SITE, allowUnsafe: true })
    const site = { ...other.site, db: listening(other.site.db) }
    others = buildServer({ site, wakeups: other.wakeups })
    await putPages(open, [PATH])
    await putGrants(open, [['nobody', 'view', '*'], ['nobody', 'history', '*'], EDIT])
  })
  test.after(async () => {
    await others.close()
    await other.close()
    await open.close()
  })

  test('saves without a statement of its own, and what is saved is told rightly', async () => {
    const { id, token } = await putUser(open, 'ann', ['editor'])
    await save(token)
    asked = []
    const saved = await save(token)

    assert.is(saved.statusCode, 200)
    assert.equal(asked, [])
    const [event] = await readLog(open.site.db, Number(saved.headers['rm3-position']) - 1, 1)
    assert.is(event?.actor, id)
  })

  const losses: Record<string, (user: User) => Promise<unknown>> = {
    'is revoked': async ({ id, token }) =>
      revokeCredential(open.site, AS_ROOT, { userId: id, credential: credentialOf(token) }),
    'loses its user’s role': async ({ id }) =>
      change(open.site, AS_ROOT, it => deassignUser(it, id, 'editor')),
    'loses the grant': async () =>
      change(open.site, AS_ROOT, it =>
        denyRole(it, { role: 'editor', permission: 'post.edit', pattern: '*' }),
      ),
    'loses its user': async ({ login }) =>
      change(open.site, AS_ROOT, it => deletePage(it, `wh.users.${login}`)),
  }
  for (const [title, lose] of Object.entries(losses)) {
    test(`changes nothing from when it ${title} through another process`, async () => {
      await change(open.site, AS_ROOT, it =>
        permitRole(it, { role: 'editor', permission: 'post.edit', pattern: '*' }),
      ).catch(() => {})
      const user = await newUser()
      assert.is((await save(user.token)).statusCode, 200)
      await lose(user)
      const before = await etag()

      const refused = await save(user.token)
      assert.ok([401, 403].includes(refused.statusCode), String(refused.statusCode))
      assert.is(await etag(), before)
      await change(open.site, AS_ROOT, it =>
        permitRole(it, { role: 'editor', permission: 'post.edit', pattern: '*' }),
      ).catch(() => {})
    })
  }

  const requests: Record<string, (token: string) => Promise<Answer>> = {
    'a stale If-Match': token => save(token, { ifMatch: '0'.repeat(36) }),
    'a page that is not there': token => save(token, { path: 'wh.nothing' }),
    'a path that is none': token => save(token, { path: 'wh..x' }),
    'no If-Match': token => save(token, { ifMatch: null }),
    'a patch that is none': token => save(token, { body: '[]' }),
    'a body that is no JSON': token => save(token, { body: '{' }),
    'a change of nothing': token => save(token, { body: '{}' }),
    'an Idempotency-Key': token => save(token, { key: 'k1' }),
  }
  for (const [title, send] of Object.entries(requests)) {
    test(`is not even told of ${title} once it is revoked`, async () => {
      const user = await newUser()
      await save(user.token)
      const meant = await send(user.token)
      await save(user.token)
      await losses['is revoked']?.(user)

      const refused = await send(user.token)
      assert.not.equal(member(meant.body, 'code'), 'TOKEN_INVALID')
      assert.is(refused.statusCode, 401)
      assert.is(member(refused.body, 'code'), 'TOKEN_INVALID')
    })
  }

  test('has a right from when it is given', async () => {
    const { id, token } = await newUser([])
    assert.is((await save(token)).statusCode, 403)
    await change(open.site, AS_ROOT, it => assignUser(it, id, 'editor'))

    assert.is((await save(token)).statusCode, 200)
  })

  test('is over when it expires', async () => {
    const { id } = await newUser()
    const expires = new Date(Date.now() + 1_500).toISOString()
    const { token } = await createToken(open.site, AS_ROOT, { userId: id, expires })
    assert.is((await save(token)).statusCode, 200)
    await sleep(Date.parse(expires) - Date.now() + 1)

    assert.is((await save(token)).statusCode, 401)
  })

  test('that only reads does not write, and a wrong end makes another token of it', async () => {
    const { id, token } = await newUser()
    const reading = await createToken(open.site, AS_ROOT, { userId: id, scope: 'read' })
    await save(token)

    assert.is((await save(reading.token)).statusCode, 403)
    assert.is((await save(reading.token)).statusCode, 403)
    assert.is((await save(`${token.slice(0, -2)}AA`)).statusCode, 401)
  })

  test('never writes after its revocation in the log, however hard it tries', async () => {
    for (let round = 0; round < 8; round++) {
      const user = await newUser()
      await save(user.token)
      let over = false
      const writers = [0, 1, 2].map(async () => {
        while (!over) await save(user.token)
      })
      await sleep(round * 5)
      const { position } = await change(open.site, AS_ROOT, it =>
        deassignUser(it, user.id, 'editor'),
      )
      await sleep(10)
      over = true
      await Promise.all(writers)

      const later = await readLog(open.site.db, position ?? 0, 1000)
      assert.equal(
        later.filter(event => event.actor === user.id),
        [],
      )
    }
  })
})

interface User {
  readonly id: string
  readonly login: string
  readonly token: string
}

async function newUser(roles: readonly string[] = ['editor']): Promise<User> {
  const login = `user${++turn}`
  return { login, ...(await putUser(open, login, roles)) }
}

type Answer = Awaited<ReturnType<FastifyInstance['inject']>>

async function etag(): Promise<string> {
  const { headers } = await open.server.inject({ url: `/api/pages/${PATH}` })
  return String(headers['etag']).replaceAll('"', '')
}

/** A save through the other process; of what is live, when `ifMatch` does not say something else. */
async function save(
  token: string,
  given: { path?: string; ifMatch?: string | null; body?: string; key?: string } = {},
): Promise<Answer> {
  const { path = PATH, ifMatch = await etag(), key } = given
  const { body = `{"summary":{"abstract":"turn ${++turn}"}}` } = given
  return others.inject(
    withToken(token, {
      method: 'PATCH',
      url: `/api/pages/${path}`,
      payload: body,
      headers: {
        'content-type': 'application/merge-patch+json',
        ...(ifMatch !== null && { 'if-match': `"${ifMatch}"` }),
        ...(key !== undefined && { 'idempotency-key': key }),
      },
    }),
  )
}

function credentialOf(token: string): string {
  const hex = Buffer.from(token.slice(4), 'base64url').toString('hex', 0, 16)
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** The same, and tells of each statement. */
function listening(db: Db): Db {
  return {
    ...db,
    rows: (text, values) => {
      asked.push(text)
      return db.rows(text, values)
    },
  }
}
