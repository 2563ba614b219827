import fc from 'fast-check'
import { listGrants } from '../../projections/grants.ts'
import type { Viewer } from '../../src/access/viewer.ts'
import { Change, change } from '../../src/commands/change.ts'
import {
  createPage,
  deletePage,
  movePage,
  publishPage,
  restoreRevision,
  revisePage,
} from '../../src/commands/pages.ts'
import { denyRole, permitRole, setSetting } from '../../src/commands/rights.ts'
import type { Entity } from '../../src/content/state.ts'
import type { Rm3Error } from '../../src/errors.ts'
import { assert, rejection, suite } from '../harness.ts'
import { AS_ROOT, type TestSite, testSite } from '../support/database.ts'
import { grant, makeUser, viewerOf } from '../support/users.ts'
import {
  type Attempt,
  attempts,
  DELETED,
  DRAFTS,
  edit,
  LIVE,
  type May,
  titled,
} from './attempts.ts'
import { type AccessState, oracle } from './oracle.ts'

const PERMISSIONS = ['view', 'viewdraft', 'history', 'grant', 'post.edit', 'post.delete']
const PATTERNS = [
  '*',
  'wh',
  'wh.blog.*',
  'wh.!users.*',
  '*.!secret.*',
  'wh.blog|users.*{1}',
  'wh.*{1}',
  '*.draft',
]
const ROLES: Record<string, string[]> = { ann: ['r1'], bob: ['r1', 'r2'], cat: [] }

const anyGrants = fc.uniqueArray(
  fc.record({
    role: fc.constantFrom('nobody', 'r1', 'r2'),
    permission: fc.constantFrom(...PERMISSIONS),
    pattern: fc.constantFrom(...PATTERNS),
  }),
  { minLength: 4, maxLength: 24, selector: grant => JSON.stringify(grant) },
)

suite('rights at the commands', test => {
  let open: TestSite
  const users = new Map<string | null, Entity | null>([[null, null]])
  test.before(async () => {
    open = await testSite()
    for (const [login, roles] of Object.entries(ROLES)) {
      users.set(login, await makeUser(open.site, login, roles))
    }
    const make = (path: string, draft: boolean) =>
      change(open.site, AS_ROOT, it => createPage(it, { path, document: titled('1'), draft }))
    for (const path of [...LIVE, ...DELETED]) await make(path, false)
    for (const path of DRAFTS) await make(path, true)
    for (const path of DELETED) await change(open.site, AS_ROOT, it => deletePage(it, path))
    for (const path of LIVE) await change(open.site, AS_ROOT, it => edit(it, path))
  })
  test.after(() => open.close())

  test('every command is allowed exactly when the reference says so, and what may not be seen looks absent', async () => {
    await fc.assert(
      fc.asyncProperty(anyGrants, async grants => {
        await setGrants(grants)
        for (const [login, user] of users) {
          const viewer = await viewerOf(open.site, user?.id ?? null)
          const may: May = (permission, path) => oracle(stateOf(grants), login, permission, path)
          for (const attempt of attempts(users.get('ann')?.id ?? '')) {
            const wanted = attempt.outcome(may)
            const got = await outcomeOf(viewer, attempt.work)
            assert.is(
              got,
              wanted,
              `${login ?? 'nobody'}: ${attempt.title} ${JSON.stringify(grants)}`,
            )
          }
          await checkLists(viewer, may)
        }
      }),
      { numRuns: 15 },
    )
  })

  test('a revision from when the page was where the viewer may not look is neither restored, published nor drafted on', async () => {
    await setGrants([])
    const { result: first } = await change(open.site, AS_ROOT, it =>
      createPage(it, { path: 'wh.secret.moved', document: titled('hidden') }),
    )
    await change(open.site, AS_ROOT, it => edit(it, 'wh.secret.moved'))
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.secret.moved', 'wh.blog.moved'))
    await grant(open.site, 'r1', PERMISSIONS, 'wh.blog.*')
    const viewer = await viewerOf(open.site, users.get('ann')?.id ?? null)
    const codeOf = async (work: (change: Change) => Promise<unknown>) =>
      ((await rejection(attemptAs(viewer, work))) as Rm3Error).code

    const at = 'wh.blog.moved'
    assert.is(await codeOf(it => restoreRevision(it, at, { revision: 1 })), 'REVISION_NOT_FOUND')
    assert.is(await codeOf(it => publishPage(it, at, 1)), 'REVISION_NOT_FOUND')
    const draft = { ifMatch: first.tipId, edit: () => titled('x'), draft: true }
    assert.is(await codeOf(it => revisePage(it, at, draft)), 'IF_MATCH_STALE')
    await grant(open.site, 'r1', ['view', 'history'], 'wh.secret.*')
    const auditor = await viewerOf(open.site, users.get('ann')?.id ?? null)
    await attemptAs(auditor, it => restoreRevision(it, at, { revision: 1 }))
  })

  test('a change of rights counts from the next request on, also when positions come out of order', async () => {
    await setGrants([])
    const before = await viewerOf(open.site, null)
    const old = (await change(open.site, AS_ROOT, it => setSetting(it, 'x', 1))).position ?? 0
    await grant(open.site, 'nobody', ['view'], '*')
    const after = await viewerOf(open.site, null)
    const late = await open.site.rights.viewer(open.site.db, old, null)
    const again = await viewerOf(open.site, null)

    assert.equal(
      [before, after, late, again].map(viewer => viewer.may('view', 'wh')),
      [false, true, true, true],
    )
  })

  async function setGrants(grants: AccessState['grants']): Promise<void> {
    const held = await listGrants(open.site.db)
    await change(open.site, AS_ROOT, async it => {
      for (const grant of held) await denyRole(it, grant)
      for (const grant of grants) await permitRole(it, grant)
    })
  }

  /** Does the work, and writes nothing. */
  function attemptAs(viewer: Viewer, work: Attempt['work']): Promise<unknown> {
    return work(new Change(open.site, { viewer, door: 'api' }))
  }

  async function outcomeOf(viewer: Viewer, work: Attempt['work']): Promise<string> {
    try {
      await attemptAs(viewer, work)
      return 'ok'
    } catch (thrown) {
      const { code } = thrown as Rm3Error
      return code === (viewer.userId === null ? 'LOGIN_REQUIRED' : 'PERMISSION_DENIED')
        ? 'denied'
        : code
    }
  }

  async function checkLists(viewer: Viewer, may: May): Promise<void> {
    const paths = [...LIVE, ...DRAFTS, 'wh.users', 'wh.users.ann', 'other', 'wh.blog.x.y.z']
    for (const permission of PERMISSIONS) {
      const rows = await open.site.db.rows<{ path: string }>(
        'select path from unnest($2::text[]) as path where $1::text is null or path ~ $1::text',
        [viewer.pathsWith(permission), paths],
      )
      const allowed = paths.filter(path => may(permission, path))
      assert.equal(rows.map(({ path }) => path).sort(), allowed.sort())
      assert.equal(paths.filter(path => viewer.may(permission, path)).sort(), allowed)
    }
  }
})

function stateOf(grants: AccessState['grants']): AccessState {
  return { grants, roles: ROLES }
}
