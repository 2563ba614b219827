import {
  findAccountByEmail,
  listCredentials,
  listMembers,
  listRoles,
} from '../../projections/accounts.ts'
import { findPageAndHead } from '../../projections/pages.ts'
import { findSecretOfUser, replaceSecret } from '../../src/access/credentials.ts'
import { findSession } from '../../src/access/sessions.ts'
import type { Viewer } from '../../src/access/viewer.ts'
import { deleteUser } from '../../src/commands/account-changes.ts'
import {
  addUser,
  createToken,
  getAccount,
  revokeCredential,
  setPassword,
} from '../../src/commands/accounts.ts'
import { change } from '../../src/commands/change.ts'
import { logIn, speakerOfSession, speakerOfToken } from '../../src/commands/login.ts'
import {
  createPage,
  deletePage,
  movePage,
  revisePage,
  undeletePage,
} from '../../src/commands/pages.ts'
import { assignUser, deassignUser, setSetting } from '../../src/commands/rights.ts'
import { GRANTS_STREAM } from '../../src/content/events.ts'
import type { Entity } from '../../src/content/state.ts'
import type { Rm3Error } from '../../src/errors.ts'
import { assert, rejection, suite } from '../harness.ts'
import { AS_ROOT, type TestSite, testSite } from '../support/database.ts'
import { grant, makeUser, viewerOf } from '../support/users.ts'

suite('accounts', test => {
  let open: TestSite
  test.before(async () => {
    open = await testSite()
    await grant(open.site, 'author', ['view', 'post.edit', 'post.delete'], 'wh.blog.*')
    await grant(open.site, 'admin', ['view', 'grant', 'user.edit'], '*')
  })
  test.after(() => open.close())

  const as = (viewer: Viewer) => ({ viewer, door: 'api' }) as const
  const codeOf = async (work: Promise<unknown>) => ((await rejection(work)) as Rm3Error).code

  test('a password logs in by name or e-mail address, whatever the case', async () => {
    const user = await makeUser(open.site, 'ann')
    await setPassword(open.site, AS_ROOT, user.id, 'secret of ann')
    const { session } = await logIn(open.site, 'Ann', 'secret of ann')
    const byEmail = await logIn(open.site, 'ANN@example.org', 'secret of ann')

    const speaker = await speakerOfSession(open.site, session)
    const password = await findSecretOfUser(open.site.db, user.id, 'password')
    assert.equal([speaker?.userId, speaker?.credential], [user.id, password?.credential])
    assert.is(byEmail.account.id, user.id)
  })

  test('a failed login says the same and takes as long, whatever made it fail', async () => {
    await makeUser(open.site, 'nopassword')
    for (const [name, password] of [
      ['ann', 'wrong'],
      ['nobody_at_all', 'x'],
      ['nopassword', ''],
      ['no@where.org', 'x'],
      ['!\0', 'x'],
    ] as const) {
      const started = Date.now()
      const error = (await rejection(logIn(open.site, name, password))) as Rm3Error
      const ms = Date.now() - started
      assert.equal([error.code, error.details], ['LOGIN_FAILED', {}])
      assert.ok(ms >= 595 && ms < 1500, `${name}: ${ms} ms`)
    }
  })

  test('a new password ends all sessions, and the old one is void', async () => {
    const user = await makeUser(open.site, 'bob')
    await setPassword(open.site, AS_ROOT, user.id, 'first')
    const { session } = await logIn(open.site, 'bob', 'first')
    await setPassword(open.site, AS_ROOT, user.id, 'second')

    assert.is(await speakerOfSession(open.site, session), null)
    assert.is(await codeOf(logIn(open.site, 'bob', 'first')), 'LOGIN_FAILED')
    assert.ok(await logIn(open.site, 'bob', 'second'))
  })

  test('a secret is kept in a newer form only while it is the one that counts', async () => {
    const user = await makeUser(open.site, 'rehash')
    await setPassword(open.site, AS_ROOT, user.id, 'first')
    const old = await findSecretOfUser(open.site.db, user.id, 'password')
    if (old === null) throw new Error('no secret')
    await replaceSecret(open.site.db, old, 'hashed anew')
    await replaceSecret(open.site.db, old, 'too late')

    const now = await findSecretOfUser(open.site.db, user.id, 'password')
    assert.equal([now?.credential, now?.secret], [old.credential, 'hashed anew'])
    await setPassword(open.site, AS_ROOT, user.id, 'second')
    await replaceSecret(open.site.db, { ...old, secret: 'hashed anew' }, 'too late')
    assert.ok(await logIn(open.site, 'rehash', 'second'))
  })

  test('a login with the old password that overlaps the change leaves no session', async () => {
    const user = await makeUser(open.site, 'cat')
    await setPassword(open.site, AS_ROOT, user.id, 'first')
    const [login] = await Promise.allSettled([
      logIn(open.site, 'cat', 'first'),
      setPassword(open.site, AS_ROOT, user.id, 'second'),
    ])

    const session = login.status === 'fulfilled' ? login.value.session : ''
    assert.is(await findSession(open.site.db, session), null)
  })

  test('tokens end when revoked, expired, or when their user is closed, deleted or moved away', async () => {
    const user = await makeUser(open.site, 'dan')
    const token = () => createToken(open.site, AS_ROOT, { userId: user.id })
    const [kept, revoked] = [await token(), await token()]
    await revokeCredential(open.site, AS_ROOT, { userId: user.id, credential: revoked.id })
    assert.is(await codeOf(speakerOfToken(open.site, revoked.token)), 'TOKEN_INVALID')
    assert.is((await speakerOfToken(open.site, kept.token)).userId, user.id)
    assert.is(
      await codeOf(speakerOfToken(open.site, `${kept.token.slice(0, -4)}AAAA`)),
      'TOKEN_INVALID',
    )
    const later = { ...open.site, now: () => '2999-01-01T00:00:00.000Z' }
    const soon = await createToken(open.site, AS_ROOT, {
      userId: user.id,
      expires: '2998-12-31T23:00:00+01:00',
    })
    assert.is(soon.expires, '2998-12-31T22:00:00.000Z')
    assert.is(await codeOf(speakerOfToken(later, soon.token)), 'TOKEN_INVALID')

    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.users.dan'))
    assert.is(await codeOf(speakerOfToken(open.site, kept.token)), 'TOKEN_INVALID')
    assert.is(await codeOf(createToken(open.site, AS_ROOT, { userId: user.id })), 'USER_NOT_FOUND')
  })

  for (const [login, door, remove] of [
    ['lea', 'the page', (it: Entity) => change(open.site, AS_ROOT, _ => deletePage(_, it.path))],
    ['max', 'the user', (it: Entity) => deleteUser(open.site, AS_ROOT, it.id)],
  ] as const) {
    test(`to delete ${door} of a user voids what logs in for good; to undelete it brings back its roles only`, async () => {
      const user = await makeUser(open.site, login, ['author'])
      const { token } = await createToken(open.site, AS_ROOT, { userId: user.id })
      await setPassword(open.site, AS_ROOT, user.id, 'a secret')
      const { session } = await logIn(open.site, login, 'a secret')
      await remove(user)
      await change(open.site, AS_ROOT, it => undeletePage(it, user.path))

      assert.is(await codeOf(speakerOfToken(open.site, token)), 'TOKEN_INVALID')
      assert.is(await codeOf(logIn(open.site, login, 'a secret')), 'LOGIN_FAILED')
      assert.is(await speakerOfSession(open.site, session), null)
      assert.equal(await listCredentials(open.site.db, user.id), [])
      assert.equal(await listRoles(open.site.db, user.id), ['author'])
    })
  }

  test('a closed account cannot log in, and its sessions are void', async () => {
    const user = await makeUser(open.site, 'eve')
    await setPassword(open.site, AS_ROOT, user.id, 'secret')
    const { session } = await logIn(open.site, 'eve', 'secret')
    await disable('wh.users.eve')

    assert.is(await speakerOfSession(open.site, session), null)
    assert.is(await codeOf(logIn(open.site, 'eve', 'secret')), 'LOGIN_FAILED')
  })

  test('a token that may only read changes nothing, not even its user’s password', async () => {
    const user = await makeUser(open.site, 'fay', ['author', 'admin'])
    const { token } = await createToken(open.site, AS_ROOT, { userId: user.id, scope: 'read' })
    const { viewer } = await speakerOfToken(open.site, token)

    assert.is(viewer.may('view', 'wh.blog.x'), true)
    assert.is(viewer.may('post.edit', 'wh.blog.x'), false)
    assert.is(viewer.pathsWith('post.edit'), '^$')
    for (const work of [
      () => setPassword(open.site, as(viewer), user.id, 'taken over'),
      () => createToken(open.site, as(viewer), { userId: user.id, scope: 'write' }),
    ]) {
      assert.is(await codeOf(work()), 'PERMISSION_DENIED')
    }
  })

  test('users change their own credentials, and others’ only with the right to', async () => {
    const [gus, hal] = [
      await makeUser(open.site, 'gus'),
      await makeUser(open.site, 'hal', ['admin']),
    ]
    const [asGus, asHal] = [
      as(await viewerOf(open.site, gus.id)),
      as(await viewerOf(open.site, hal.id)),
    ]
    await createToken(open.site, asGus, { userId: gus.id })
    await createToken(open.site, asHal, { userId: gus.id })

    assert.is(await codeOf(createToken(open.site, asGus, { userId: hal.id })), 'USER_NOT_FOUND')
    const nobody = as(await viewerOf(open.site, null))
    assert.is(await codeOf(setPassword(open.site, nobody, hal.id, 'x')), 'USER_NOT_FOUND')
  })

  test('what is no user has no credentials and no roles', async () => {
    const page = (
      await change(open.site, AS_ROOT, it =>
        createPage(it, { path: 'wh.blog', document: titled('user', 'ann@example.org') }),
      )
    ).result
    for (const id of [page.id, GRANTS_STREAM, '00000000-0000-4000-8000-00000000ffff']) {
      assert.is(await codeOf(createToken(open.site, AS_ROOT, { userId: id })), 'USER_NOT_FOUND')
      assert.is(
        await codeOf(change(open.site, AS_ROOT, it => assignUser(it, id, 'admin'))),
        'USER_NOT_FOUND',
      )
    }
    assert.is((await findAccountByEmail(open.site.db, 'ann@example.org'))?.path, 'wh.users.ann')
  })

  test('a user that is moved away is no account any more, until it is moved back', async () => {
    await makeUser(open.site, 'ida')
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.users.ida', 'wh.ida'))
    assert.is(await codeOf(getAccount(open.site.db, 'ida')), 'USER_NOT_FOUND')

    await change(open.site, AS_ROOT, it => movePage(it, 'wh.ida', 'wh.users.ida'))
    assert.is((await getAccount(open.site.db, 'ida')).name, 'ida')
  })

  test('who may not make users learns nothing of who is one', async () => {
    const nobody = as(await viewerOf(open.site, null))
    const add = (login: string) =>
      change(open.site, nobody, it => addUser(it, { login, fullName: 'x' }))

    assert.is(await codeOf(add('ann')), 'LOGIN_REQUIRED')
    assert.is(await codeOf(add('nobody_of_that_name')), 'LOGIN_REQUIRED')
  })

  test('roles may have the names of members of every object', async () => {
    const user = await makeUser(open.site, 'jon', ['constructor', 'tostring'])
    await change(open.site, AS_ROOT, it => deassignUser(it, user.id, 'constructor'))
    await change(open.site, AS_ROOT, it => setSetting(it, 'constructor', 1))

    assert.equal(await listRoles(open.site.db, user.id), ['tostring'])
    assert.equal(await listMembers(open.site.db, 'constructor'), [])
  })

  test('tokens with a time that is none or past, or an unknown scope, are refused', async () => {
    const { id: userId } = await makeUser(open.site, 'kim')
    for (const expires of [
      'tomorrow',
      'infinity',
      '2020-01-01T00:00:00Z',
      '2999-13-01T00:00:00Z',
      '',
    ]) {
      assert.is(
        await codeOf(createToken(open.site, AS_ROOT, { userId, expires })),
        'REQUEST_INVALID',
      )
    }
    const scope = 'admin' as 'read'
    assert.is(await codeOf(createToken(open.site, AS_ROOT, { userId, scope })), 'REQUEST_INVALID')
  })

  async function disable(path: string): Promise<void> {
    const { page } = await findPageAndHead(open.site.db, path)
    await change(open.site, AS_ROOT, it =>
      revisePage(it, path, {
        ifMatch: page?.sinceId ?? '',
        edit: document => ({ ...document, data: { ...document.data, disableLogin: true } }),
      }),
    )
  }
})

function titled(proto: string, email: string) {
  return { proto, hidden: false, summary: { title: 'x' }, data: { email }, tags: {} }
}
