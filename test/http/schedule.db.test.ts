import { change } from '../../src/commands/change.ts'
import { createPage, deletePage, movePage, undeletePage } from '../../src/commands/pages.ts'
import { carryOut } from '../../src/commands/schedules.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import {
  member,
  page,
  putGrants,
  putPages,
  putUser,
  type TestServer,
  testServer,
  withToken,
} from './support.ts'

const NEXT_YEAR = new Date(Date.now() + 365 * 86_400_000).toISOString()
const AFTER = new Date(Date.now() + 366 * 86_400_000).toISOString()
const BEFORE = new Date(Date.now() + 364 * 86_400_000).toISOString()

interface Item {
  readonly path: string
  readonly summary: { readonly title: string }
}

suite('a scheduled publication', test => {
  let open: TestServer
  let editor: { id: string; token: string }
  let reader: { id: string; token: string }
  test.before(async () => {
    open = await testServer()
    editor = await putUser(open, 'editor', ['editor'])
    reader = await putUser(open, 'reader', ['reader'])
    await putGrants(open, [
      ['nobody', 'view', '*'],
      ['editor', 'history', '*'],
      ['reader', 'history', '*'],
      ['editor', 'viewdraft', '*'],
      ['editor', 'post.edit', '*'],
    ])
  })
  test.after(() => open.close())

  const as = (
    who: { token: string } | null,
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    payload?: object,
  ) => {
    const request = { method, url, ...(payload && { payload }) }
    return open.server.inject(who === null ? request : withToken(who.token, request))
  }
  /** A page with a draft as its second revision. */
  const withDraft = async (path: string) => {
    await putPages(open, [path])
    const { headers } = await as(editor, 'GET', `/api/pages/${path}`)
    const answer = await open.server.inject(
      withToken(editor.token, {
        method: 'PUT',
        url: `/api/pages/${path}`,
        payload: page('as planned'),
        headers: { 'if-match': String(headers['etag']), 'rm3-draft': 'true' },
      }),
    )
    assert.is(answer.statusCode, 200, answer.body)
  }
  const plan = async (path: string, revision: number, at = NEXT_YEAR) => {
    const answer = await as(editor, 'POST', `/api/pages/${path}/schedule`, { revision, at })
    assert.is(answer.statusCode, 201, answer.body)
    return String(member(answer.body, 'id'))
  }
  const titleOf = async (who: { token: string } | null, url: string) => {
    const { body } = await as(who, 'GET', url)
    return (member(body, 'summary') as { title?: string } | undefined)?.title
  }
  const idOf = async (path: string) =>
    String(member((await as(editor, 'GET', `/api/pages/${path}`)).body, 'entityId'))
  const carry = async (path: string, id: string) => carryOut(open.site, await idOf(path), id)

  test('is made, listed, and taken back by those who may publish', async () => {
    await withDraft('wh.listed')
    const id = await plan('wh.listed', 2)
    const list = await as(editor, 'GET', '/api/pages/wh.listed/schedule')
    const gone = await as(editor, 'DELETE', `/api/pages/wh.listed/schedule/${id}`)
    const empty = await as(editor, 'GET', '/api/pages/wh.listed/schedule')
    const again = await as(editor, 'DELETE', `/api/pages/wh.listed/schedule/${id}`)

    const [item] = member(list.body, 'items') as Record<string, unknown>[]
    assert.equal(
      [item?.['id'], item?.['revision'], item?.['at'], item?.['actor']],
      [id, 2, NEXT_YEAR, editor.id],
    )
    assert.is(gone.statusCode, 204)
    assert.equal(member(empty.body, 'items'), [])
    assert.equal([again.statusCode, member(again.body, 'code')], [404, 'SCHEDULE_NOT_FOUND'])
  })

  test('is refused without the right, for an instant that is not ahead, and for a revision that is not there', async () => {
    await withDraft('wh.refused')
    const url = '/api/pages/wh.refused/schedule'
    const good = { revision: 2, at: NEXT_YEAR }
    const codes = await Promise.all([
      as(null, 'POST', url, good),
      as(reader, 'POST', url, good),
      as(reader, 'GET', url),
      as(editor, 'POST', url, { revision: 2, at: '2020-01-01T00:00:00Z' }),
      as(editor, 'POST', url, { revision: 2, at: 'tomorrow' }),
      as(editor, 'POST', url, { revision: 9, at: NEXT_YEAR }),
      as(editor, 'POST', '/api/pages/wh.nothing/schedule', good),
    ])

    assert.equal(
      codes.map(({ statusCode }) => statusCode),
      [401, 403, 403, 400, 400, 404, 404],
    )
  })

  test('goes live in the name of who planned it, once, whoever carries it out', async () => {
    await withDraft('wh.live')
    const id = await plan('wh.live', 2)
    const outcomes = await Promise.all([carry('wh.live', id), carry('wh.live', id)])
    const [event] = await open.site.db.rows<Record<string, unknown>>(
      `select type, actor, meta->>'door' as door, data->>'schedule' as schedule from log order by position desc`,
    )

    assert.ok(outcomes.includes('published'))
    assert.is(await titleOf(null, '/api/pages/wh.live'), 'as planned')
    assert.equal(
      { ...event },
      { type: 'PagePublished', actor: editor.id, door: 'worker', schedule: id },
    )
    assert.is(await carry('wh.live', id), 'absent')
    assert.equal(member((await as(editor, 'GET', '/api/pages/wh.live/schedule')).body, 'items'), [])
  })

  test('follows a page that moves, and shows what was planned though the page was changed since', async () => {
    await withDraft('wh.moving')
    const id = await plan('wh.moving', 2)
    await change(open.site, AS_ROOT, it => movePage(it, 'wh.moving', 'wh.moved'))
    const { headers } = await as(editor, 'GET', '/api/pages/wh.moved')
    await open.server.inject(
      withToken(editor.token, {
        method: 'PUT',
        url: '/api/pages/wh.moved',
        payload: page('meanwhile'),
        headers: { 'if-match': String(headers['etag']) },
      }),
    )
    const between = await titleOf(null, '/api/pages/wh.moved')
    const outcome = await carry('wh.moved', id)

    assert.equal([between, outcome], ['meanwhile', 'published'])
    assert.is(await titleOf(null, '/api/pages/wh.moved'), 'as planned')
  })

  test('ends when the page is deleted, also when that comes back', async () => {
    await withDraft('wh.deleted')
    const entityId = await idOf('wh.deleted')
    const id = await plan('wh.deleted', 2)
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.deleted'))
    await change(open.site, AS_ROOT, it => undeletePage(it, 'wh.deleted'))

    assert.is(await carryOut(open.site, entityId, id), 'absent')
    assert.is(await titleOf(null, '/api/pages/wh.deleted'), 'wh.deleted')
  })

  test('ends with a reason when the revision is live already, or another page is where a new one should go', async () => {
    await withDraft('wh.twice')
    const twice = await plan('wh.twice', 2)
    await as(editor, 'POST', '/api/pages/wh.twice/publish', { revision: 2 })
    const draft = { path: 'wh.taken', document: page('a draft'), draft: true }
    const { result: made } = await change(open.site, AS_ROOT, it => createPage(it, draft))
    const taken = await plan('wh.taken', 1)
    await putPages(open, ['wh.taken'])

    assert.is(await carry('wh.twice', twice), 'ended')
    assert.is(await carryOut(open.site, made.id, taken), 'ended')
    const ends = await open.site.db.rows<{ reason: string }>(
      `select data->>'reason' as reason from log where type = 'ScheduleCancelled' and data->>'reason' is not null order by position`,
    )
    assert.equal(
      ends.map(({ reason }) => reason),
      ['live already', 'path taken'],
    )
  })

  test('is seen ahead of its time by those who may see drafts, also where no page is yet', async () => {
    await withDraft('wh.ahead')
    await plan('wh.ahead', 2)
    const draft = { path: 'wh.new', document: page('to come'), draft: true }
    await change(open.site, AS_ROOT, it => createPage(it, draft))
    await plan('wh.new', 1)
    const url = (path: string, at: string) => `/api/pages/${path}?at=${encodeURIComponent(at)}`
    const { headers, body } = await as(editor, 'GET', url('wh.ahead', AFTER))
    const html = await as(editor, 'GET', `/ahead/?at=${encodeURIComponent(AFTER)}`)

    assert.is(await titleOf(editor, url('wh.ahead', BEFORE)), 'wh.ahead')
    assert.is(await titleOf(editor, url('wh.ahead', AFTER)), 'as planned')
    assert.equal([member(body, 'modified'), member(body, 'revision')], [NEXT_YEAR, 2])
    assert.is(headers['memento-datetime'], new Date(AFTER).toUTCString())
    assert.is(await titleOf(editor, url('wh.new', AFTER)), 'to come')
    assert.match(html.body, /<h1[^>]*>\s*as planned/)
    assert.match(html.body, /as it will be by what is scheduled/)
    assert.ok(html.body.includes(`at=${encodeURIComponent(AFTER)}`), 'links stay in that time')
    assert.equal((await as(null, 'GET', url('wh.ahead', AFTER))).statusCode, 401)
    assert.equal((await as(reader, 'GET', url('wh.ahead', AFTER))).statusCode, 403)
    assert.equal((await as(null, 'GET', url('wh.new', AFTER))).statusCode, 401)
  })

  test('counts in what is found ahead, in links and in the feed, for those who may see drafts', async () => {
    const ahead = `at=${encodeURIComponent(AFTER)}`
    const paths = async (who: { token: string } | null, url: string, name = 'items') => {
      const { statusCode, body } = await as(who, 'GET', url)
      assert.is(statusCode, 200, body)
      return (member(body, name) as { path: string }[]).map(({ path }) => path)
    }
    const source = 'Kingfishers come back. [There](/linked/)'
    const document = page('Kingfishers', {
      proto: 'base',
      data: { posting: { format: 'markdown', source } },
    })
    await putPages(open, ['wh.linked'])
    await change(open.site, AS_ROOT, it =>
      createPage(it, { path: 'wh.fishers', document, draft: true }),
    )
    await plan('wh.fishers', 1)

    assert.equal(await paths(editor, `/api/search?q=kingfishers&${ahead}`), ['wh.fishers'])
    assert.equal(await paths(editor, '/api/search?q=kingfishers'), [])
    assert.equal(await paths(reader, `/api/search?q=kingfishers&${ahead}`), [])
    assert.equal(await paths(editor, `/api/search?q=kingfishers&parent=wh.linked&${ahead}`), [])
    assert.equal(await paths(editor, `/api/pages/wh.linked/links?${ahead}`, 'to'), ['wh.fishers'])
    assert.equal(await paths(editor, `/api/pages/wh.fishers/links?${ahead}`, 'from'), ['wh.linked'])
    assert.match((await as(editor, 'GET', `/feed.atom?${ahead}`)).body, 'Kingfishers')
    assert.is((await as(reader, 'GET', `/feed.atom?${ahead}`)).body.includes('Kingfishers'), false)
  })

  test('changes nothing of what cannot be scheduled', async () => {
    const ahead = `at=${encodeURIComponent(AFTER)}`
    for (const url of ['/api/activity', '/api/pages/wh.linked/revisions', '/api/users/editor']) {
      const [now, then] = [await as(editor, 'GET', url), await as(editor, 'GET', `${url}?${ahead}`)]
      assert.is(then.statusCode, 200, then.body)
      assert.equal(member(then.body, 'items'), member(now.body, 'items'))
    }
  })

  test('is seen ahead as it is when it was carried out, in lists and in menus too', async () => {
    await putPages(open, ['wh'])
    await withDraft('wh.same')
    const id = await plan('wh.same', 2)
    const record = async (url: string) => {
      const { position, modified, touched, ...rest } = JSON.parse(
        (await as(editor, 'GET', url)).body,
      ) as Record<string, unknown>
      assert.ok(position && modified && touched)
      return rest
    }
    const ahead = await record(`/api/pages/wh.same?at=${encodeURIComponent(AFTER)}`)
    const query = `at=${encodeURIComponent(AFTER)}`
    const listed = async (who: typeof editor, url: string) => {
      const items = member((await as(who, 'GET', url)).body, 'items') as Item[]
      return items.filter(({ path }) => path === 'wh.same').map(({ summary }) => summary.title)
    }
    const lists = await Promise.all([
      ...['title', '-title', 'created', 'modified', 'path'].map(sort =>
        listed(editor, `/api/pages?limit=200&sort=${sort}&${query}`),
      ),
      ...[listed(reader, `/api/pages?limit=200&${query}`), listed(editor, '/api/pages?limit=200')],
    ])
    const front = await as(editor, 'GET', `/?${query}`)
    await carry('wh.same', id)

    assert.equal(ahead, await record('/api/pages/wh.same'))
    const now = 'wh.same'
    assert.equal(lists, [...Array.from({ length: 5 }, () => ['as planned']), [now], [now]])
    assert.match(front.body, 'as planned')
  })

  test('stands in the history for those who may see drafts, in the API and as HTML', async () => {
    await withDraft('wh.told')
    const id = await plan('wh.told', 2)
    await as(editor, 'DELETE', `/api/pages/wh.told/schedule/${id}`)
    const types = async (who: { token: string }) => {
      const { body } = await as(who, 'GET', '/api/pages/wh.told/revisions')
      return (member(body, 'items') as { type: string }[]).map(({ type }) => type)
    }
    const html = await as(editor, 'GET', '/told/history.html')

    assert.equal(await types(editor), [
      'ScheduleCancelled',
      'PublishScheduled',
      'PageRevised',
      'PageCreated',
    ])
    assert.equal(await types(reader), ['PageCreated'])
    assert.match(html.body, /scheduled/)
    assert.ok(html.body.includes(`revision 2 goes live at ${NEXT_YEAR}`))
  })
})
