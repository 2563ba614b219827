import { createToken, revokeCredential, setPassword } from '../../src/commands/accounts.ts'
import { type Author, type Change, change } from '../../src/commands/change.ts'
import { createPage, pageAt, publishPage, revisePage } from '../../src/commands/pages.ts'
import { rehearse } from '../../src/commands/rehearse.ts'
import {
  assignUser,
  deassignUser,
  denyRole,
  permitRole,
  setSetting,
} from '../../src/commands/rights.ts'
import { cancelSchedule, schedulePublish } from '../../src/commands/schedules.ts'
import { type Undone, type UndoSelector, undoSelected } from '../../src/commands/undo.ts'
import { documentOf } from '../../src/content/document.ts'
import type { Entity } from '../../src/content/state.ts'
import { readHead } from '../../src/log/read.ts'
import { FOREVER } from '../../src/projector/define.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT, type TestSite, testSite } from '../support/database.ts'
import { grant, makeUser, viewerOf } from '../support/users.ts'

const AHEAD = '2999-01-01T00:00:00.000Z'

let open: TestSite
let eve: Entity
let bob: Entity
let asEve: Author
/** Where the log was when the test began. */
let began = 0

suite('undo of what readers do not see', test => {
  test.before(async () => {
    open = await testSite()
    eve = await makeUser(open.site, 'eve', ['admin'])
    bob = await makeUser(open.site, 'bob', ['reader'])
    await grant(open.site, 'nobody', ['view', 'history'], '*')
    await grant(open.site, 'editor', ['post.edit', 'post.delete', 'viewdraft'], '*')
    const all = ['post.edit', 'post.delete', 'viewdraft', 'grant', 'user.edit']
    await grant(open.site, 'admin', all, '*')
    asEve = { viewer: await viewerOf(open.site, eve.id), door: 'api' }
  })
  test.after(() => open.close())
  /** A test of what is done from then on. */
  const anew = (title: string, body: () => Promise<void>) =>
    test(title, async () => {
      began = (await readHead(open.site.db)).position
      await body()
    })

  anew(
    'takes back rights, roles and settings, gives back those taken, and undoes itself',
    async () => {
      const before = await rights()
      await by(asEve, it =>
        permitRole(it, { role: 'nobody', permission: 'post.edit', pattern: '*' }),
      )
      await by(asEve, it => denyRole(it, { role: 'nobody', permission: 'history', pattern: '*' }))
      await by(asEve, it => assignUser(it, bob.id, 'admin'))
      await by(asEve, it => deassignUser(it, bob.id, 'reader'))
      await by(asEve, it => setSetting(it, 'site.title', 'spam'))
      const spoilt = await rights()

      const undone = await undo(of(eve), 'u1')
      assert.equal(await rights(), before)
      assert.equal(
        undone.site.map(({ kind, key, value }) => [kind, key, value]),
        [
          ['setting', 'site.title', null],
          ['grant', 'nobody post.edit *', null],
          ['grant', 'nobody history *', true],
        ],
      )
      assert.equal(
        undone.pages.map(({ path, steps, facts }) => [path, steps, facts.map(it => it.key)]),
        [['wh.users.bob', [], ['admin', 'reader']]],
      )
      assert.equal(undone.left, [])
      assert.equal((await undo(of(eve))).pages, [])
      await undo({ ...of(null), undo: 'u1' }, 'u2')
      assert.equal(await rights(), spoilt)
      await undo({ ...of(null), undo: 'u2' }, 'u3')
      assert.equal(await rights(), before)
    },
  )

  anew('leaves what others decided since, whichever way', async () => {
    const right = { role: 'guest', permission: 'view', pattern: 'wh.guests' }
    await by(asEve, it => permitRole(it, right))
    await by(AS_ROOT, it => denyRole(it, right))
    await by(AS_ROOT, it => permitRole(it, right))
    await by(asEve, it => assignUser(it, bob.id, 'guest'))
    await by(AS_ROOT, it => deassignUser(it, bob.id, 'guest'))
    const before = await rights()

    const { site, pages } = await undo(of(eve))
    assert.equal([site, pages], [[], []])
    assert.equal(await rights(), before)
    await by(AS_ROOT, it => denyRole(it, right))
  })

  anew(
    'gives nobody what he could not give himself, and tells of no rights he may not change',
    async () => {
      await by(asEve, it => deassignUser(it, bob.id, 'reader'))
      await by(asEve, it =>
        permitRole(it, { role: 'spam', permission: 'view', pattern: 'wh.spam' }),
      )
      await createToken(open.site, asEve, { userId: bob.id })
      const ann = await makeUser(open.site, 'ann', ['editor'])
      const asAnn: Author = { viewer: await viewerOf(open.site, ann.id), door: 'api' }

      const { result, events } = await change(open.site, asAnn, it => undoSelected(it, of(eve)))
      assert.equal([result.site, result.pages, events.length], [[], [], 0])
      assert.equal(result.left, [
        { entityId: bob.id, path: 'wh.users.bob', why: 'PERMISSION_DENIED' },
      ])
      await undo(of(eve))
      assert.equal(Object.keys((await entityOf(bob.id)).roles), ['reader'])
    },
  )

  anew(
    'asks for under the path of the site before it touches the rights of all of it',
    async () => {
      await by(asEve, it => setSetting(it, 'site.title', 'spam'))

      assert.equal((await undo({ ...of(eve), under: 'wh.users' })).site, [])
      assert.is((await undo({ ...of(eve), under: 'wh' })).site.length, 1)
    },
  )

  anew(
    'voids ways to log in that were made, but for the one it is asked with, and brings none back',
    async () => {
      const { id: old } = await createToken(open.site, AS_ROOT, { userId: bob.id })
      const { id: mine } = await createToken(open.site, asEve, { userId: eve.id })
      const { id: theirs } = await createToken(open.site, asEve, { userId: eve.id })
      await setPassword(open.site, AS_ROOT, bob.id, 'a password of bob')
      await setPassword(open.site, asEve, bob.id, 'a password of eve')
      await revokeCredential(open.site, asEve, { userId: bob.id, credential: old })

      const { pages, left } = await undo({ ...of(eve), keeps: mine })
      assert.equal(
        pages.map(({ path, facts }) => [path, facts.map(it => [it.kind, it.value])]),
        [
          ['wh.users.bob', [['credential', null]]],
          ['wh.users.eve', [['credential', null]]],
        ],
      )
      assert.is(pages[1]?.facts[0]?.key, theirs)
      assert.equal(
        left.map(({ path, why, fact }) => [path, why, fact?.key === mine || fact?.key === old]),
        [
          ['wh.users.bob', 'revoked', false],
          ['wh.users.bob', 'revoked', true],
          ['wh.users.eve', 'in_use', true],
        ],
      )
      assert.equal(Object.keys((await entityOf(bob.id)).credentials), [])
    },
  )

  anew('takes drafts back, of a page that is live and of one that never was', async () => {
    await make('wh.live', 'live')
    await draft('wh.live', 'spam', asEve)
    await by(asEve, it => createPage(it, { ...page('wh.new', 'spam'), draft: true }))
    const blind = { ...AS_ROOT.viewer, may: (right: string) => right !== 'viewdraft' }

    const hidden = await rehearse(open.site, { ...AS_ROOT, viewer: blind }, it =>
      undoSelected(it, of(eve)),
    )
    assert.equal([hidden.result.pages, hidden.result.left], [[], []])
    const { pages } = await undo(of(eve))
    assert.equal(
      pages.map(({ path, steps }) => [path, steps]),
      [
        ['wh.new', ['delete']],
        ['wh.live', ['draft']],
      ],
    )
    const { tip, live, sinceId } = await entityOf(await idAt('wh.live'))
    assert.is(documentOf(tip).summary['title'], 'live')
    assert.is(live?.revisionId, sinceId)
    await undo({ ...of(null), undo: 'undo' })
    const again = await entityOf(await idAt('wh.live'))
    assert.is(documentOf(again.tip).summary['title'], 'spam')
  })

  anew('takes back what was saved, and the draft beside it', async () => {
    await make('wh.both', 'old')
    await by(asEve, async it => {
      const { sinceId } = await pageAt(it, 'wh.both')
      return revisePage(it, 'wh.both', {
        ifMatch: sinceId ?? '',
        edit: () => page('wh.both', 'spam').document,
      })
    })
    await draft('wh.both', 'more spam', asEve)

    const { pages } = await undo(of(eve))
    assert.equal(
      pages.map(({ path, steps }) => [path, steps]),
      [['wh.both', ['revise']]],
    )
    const { tip, live } = await entityOf(await idAt('wh.both'))
    assert.equal([documentOf(tip).summary['title'], live?.document], ['old', tip])
  })

  anew('cancels plans, plans again what was cancelled, and leaves what is past', async () => {
    const { id, revision } = await make('wh.plan', 'first')
    await draft('wh.plan', 'second', AS_ROOT)
    const plan = { revision: revision + 1, at: AHEAD }
    const planned = await by(AS_ROOT, it => schedulePublish(it, 'wh.plan', plan))
    const [schedule = ''] = Object.keys(planned.schedules)
    await by(asEve, it => cancelSchedule(it, 'wh.plan', schedule))
    const other = { ...plan, at: '2998-01-01T00:00:00.000Z' }
    await by(asEve, it => schedulePublish(it, 'wh.plan', other))

    const { pages } = await undo(of(eve))
    assert.equal(
      pages.map(({ path, facts }) => [path, facts.map(it => it.value)]),
      [['wh.plan', [plan, null]]],
    )
    const plans = Object.entries((await entityOf(id)).schedules)
    assert.equal(
      plans.map(([, { at }]) => at),
      [AHEAD],
    )
    await by(asEve, it => cancelSchedule(it, 'wh.plan', plans[0]?.[0] ?? ''))
    const late = { ...open.site, now: () => '2999-02-01T00:00:00.000Z' }
    const { left } = (await rehearse(late, AS_ROOT, it => undoSelected(it, of(eve)))).result
    assert.equal(
      left.map(({ path, why }) => [path, why]),
      [
        ['wh.plan', 'past'],
        ['wh.plan', 'past'],
      ],
    )
  })

  anew('knows a draft that somebody else put live', async () => {
    const { revision } = await make('wh.shown', 'live')
    await draft('wh.shown', 'better', asEve)
    await by(AS_ROOT, it => publishPage(it, 'wh.shown', revision + 1))

    assert.equal((await undo(of(eve))).pages, [])
  })

  function of(user: Entity | null): UndoSelector {
    const none = {
      token: null,
      importId: null,
      importedFrom: null,
      undo: null,
      under: null,
      keeps: null,
    }
    return { ...none, actor: user?.id ?? null, after: began, upTo: FOREVER - 1 }
  }

  async function undo(selector: UndoSelector, id = 'undo'): Promise<Undone> {
    const marked = { ...AS_ROOT, meta: { undo: id } }
    return (await change(open.site, marked, it => undoSelected(it, selector))).result
  }

  async function by<Result>(
    author: Author,
    work: (it: Change) => Promise<Result>,
  ): Promise<Result> {
    return (await change(open.site, author, work)).result
  }

  function make(path: string, title: string): Promise<Entity> {
    return by(AS_ROOT, it => createPage(it, page(path, title)))
  }

  async function draft(path: string, title: string, author: Author): Promise<void> {
    const { document } = page(path, title)
    await by(author, async it => {
      const { tipId } = await pageAt(it, path)
      return revisePage(it, path, { ifMatch: tipId, edit: () => document, draft: true })
    })
  }

  function idAt(path: string): Promise<string> {
    return by(AS_ROOT, async it => (await pageAt(it, path)).id)
  }

  function entityOf(id: string): Promise<Entity> {
    return by(AS_ROOT, async it => (await it.entity(id)) as Entity)
  }

  /** What is so on the site, and of bob. */
  async function rights(): Promise<unknown> {
    return by(AS_ROOT, async it => {
      const grants = Object.keys((await it.grants())?.active ?? {}).sort()
      const values = Object.entries((await it.settings())?.values ?? {})
      const settings = values.map(([key, { value }]) => [key, value])
      const { roles } = (await it.entity(bob.id)) as Entity
      return [grants, settings.filter(([, value]) => value !== null), Object.keys(roles).sort()]
    })
  }
})

function page(path: string, title: string) {
  const summary = { title, abstract: '' }
  return { path, document: { proto: 'base', hidden: false, summary, data: {}, tags: {} } }
}
