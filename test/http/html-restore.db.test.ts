import { change } from '../../src/commands/change.ts'
import { createPage, deletePage } from '../../src/commands/pages.ts'
import { setSetting } from '../../src/commands/rights.ts'
import { readHead } from '../../src/log/read.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { browse, edit, make, makeSite, PASSWORD, text } from './html-site.ts'
import { type TestServer, testServer } from './support.ts'

type Cookies = Record<string, string>

suite('what comes back by a form', test => {
  let open: TestServer
  let session: Cookies = {}
  const get = (url: string, cookies: Cookies = session) =>
    open.server.inject(browse(url, { cookies }))
  const post = (url: string, fields: Cookies, cookies: Cookies = session) =>
    open.server.inject(
      browse(url, {
        method: 'POST',
        cookies,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams(fields).toString(),
      }),
    )
  const end = async () => (await readHead(open.site.db)).position
  /** The fields that a form would send as it is. */
  const fieldsOf = (html: string): Cookies =>
    Object.fromEntries(
      [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)]
        .map(([, name = '', value = '']) => [name, value])
        .filter(([name]) => name !== 'q' && name !== 'at'),
    )
  const form = async (url: string) => fieldsOf((await get(url)).body)
  const textAt = async (url: string) => (await get(url)).body

  test.before(async () => {
    open = await testServer()
    await makeSite(open)
    const { body, cookies } = await get('/$login/', {})
    const [cookie] = cookies as { name: string; value: string }[]
    const fields = { ...fieldsOf(body), user: 'ed', password: PASSWORD }
    const answer = await post('/$login/', fields, { [cookie?.name ?? '']: cookie?.value ?? '' })
    const [own] = answer.cookies as { name: string; value: string }[]
    session = { [own?.name ?? '']: own?.value ?? '' }
    await make(open, 'wh.text', text('First title', 'The first words. [Away](/nowhere/)'))
    await edit(open, 'wh.text', text('Second title', 'The second words.'))
    await make(open, 'wh.top', text('Top', 'Above.'))
    await make(open, 'wh.top.low', text('Low', 'Below.'))
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.top.low'))
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.top'))
  })
  test.after(() => open.close())

  test('is shown before it is done, with what cannot come back', async () => {
    const before = await end()
    const { body, statusCode, headers } = await get('/$restore/?path=wh.text&revision=1')

    assert.is(statusCode, 200, body)
    assert.is(headers['cache-control'], 'no-store')
    assert.match(body, 'What cannot come back as it was')
    assert.match(body, '<code dir="auto">wh.nowhere</code>')
    assert.match(body, 'The first words.')
    assert.match(body, 'First title')
    assert.is(await end(), before)
  })

  test('comes back as a draft, or at once, with a note', async () => {
    const fields = await form('/$restore/?path=wh.text&revision=1')
    const draft = await post('/$restore/', { ...fields, as: 'draft', note: 'As it was' })
    const unseen = await textAt('/text/')
    const live = await post('/$restore/', { ...fields, as: 'live', note: '' })
    const seen = await textAt('/text/')

    assert.equal([draft.statusCode, draft.headers.location], [303, '/text/?revision=3'])
    assert.match(unseen, 'The second words.')
    assert.equal([live.statusCode, live.headers.location], [303, '/text/'])
    assert.match(seen, 'The first words.')
    assert.match(await textAt('/text/history.html'), 'As it was')
    assert.match(await textAt('/$restore/?path=wh.text&revision=1'), 'there is nothing to restore')
  })

  test('brings one field back, and says so when the page was changed meanwhile', async () => {
    const url = '/$restore/?path=wh.text&revision=2&field=%2Fsummary%2Ftitle'
    const fields = await form(url)
    await edit(open, 'wh.text', text('Third title', 'The third words.'))
    const stale = await post('/$restore/', { ...fields, as: 'live' })
    const done = await post('/$restore/', { ...fieldsOf(stale.body), as: 'live' })
    const seen = await textAt('/text/')

    assert.is(stale.statusCode, 412)
    assert.match(stale.body, 'Someone changed the page meanwhile')
    assert.match(stale.body, 'Third title')
    assert.is(done.statusCode, 303)
    assert.match(seen, 'Second title')
    assert.match(seen, 'The third words.')
  })

  test('brings a deleted page back, elsewhere where its place is taken, with what was below', async () => {
    const gone = await get('/top/')
    await change(open.site, AS_ROOT, it =>
      createPage(it, { path: 'wh.other', document: text('Other', 'Here.') }),
    )
    const preview = await get('/$restore/?path=wh.top')
    const fields = fieldsOf(preview.body)
    const taken = await post('/$restore/', { ...fields, to: 'wh.other', below: 'yes' })
    const alone = await post('/$restore/', { ...fields, to: 'wh.place' })
    const low = await get('/place/low/')
    const back = await form('/$restore/?path=wh.top.low')
    const below = await post('/$restore/', { ...back, to: 'wh.place.low' })

    assert.is(gone.statusCode, 410)
    assert.match(gone.body, 'href="/$restore/?path=wh.top"')
    assert.match(preview.body, 'Also restore 1 page that was deleted below it')
    assert.equal([taken.statusCode, alone.headers.location], [409, '/place/'])
    assert.match(taken.body, 'value="wh.other"')
    assert.is(low.statusCode, 404)
    assert.is(below.headers.location, '/place/low/')
    assert.match(await textAt('/$restore/?path=wh.place'), 'Nothing of this page is deleted')
  })

  test('is offered in the banner of the past, in histories, of revisions and fields', async () => {
    await make(open, 'wh.offer', text('Offer', 'One.'))
    const then = await end()
    await edit(open, 'wh.offer', text('Offer', 'Two, which is another thing.'))
    const url = '/$restore/?path=wh.offer&amp;revision=1'
    const places = ['/offer/history.html', `/offer/?at=position:${then}`, '/offer/?revision=1']
    for (const place of [...places, '/offer/diff.html?from=1&to=2']) {
      assert.ok((await textAt(place)).includes(url), place)
    }
    assert.match(await textAt('/offer/diff.html?from=1&to=2'), `${url}&amp;field=%2Fdata%2Fposting`)
    for (const place of ['/offer/', '/offer/?at=today', '/offer/diff.html?from=2&to=1']) {
      assert.is((await textAt(place)).includes('revision=2&amp;field'), false, place)
      assert.is((await textAt(place)).includes('Restore this page'), false, place)
    }
  })

  test('is for those who may, and takes the form that was sent', async () => {
    const fields = await form('/$restore/?path=wh.offer&revision=1')
    const before = await end()
    const answers = [
      await get('/$restore/?path=wh.offer&revision=1', {}),
      await get('/$restore/?path=wh.offer&revision=99'),
      await get('/$restore/?path=wh.offer&revision=x'),
      await get('/$restore/'),
      await get('/$restore/?path=wh.never'),
      await post('/$restore/', { ...fields, _csrf: 'x' }),
      await post('/$restore/', { ...fields, as: 'live' }, {}),
      await post('/$restore/', { ...fields, path: 'wh..' }),
      await post('/$restore/', { ...fields, field: '/no/such' }),
    ]

    assert.equal(
      answers.map(({ statusCode }) => statusCode),
      [401, 404, 400, 400, 404, 403, 401, 400, 400],
    )
    assert.is(await end(), before)
  })

  test('is told by the clocks of the site', async () => {
    const winter = '/blog/?at=2001-01-15T23:30:00Z'
    const utc = await textAt(winter)
    await change(open.site, AS_ROOT, it => setSetting(it, 'site.timezone', 'Europe/Berlin'))
    const berlin = await textAt(winter)
    const now = await textAt('/?at=today')
    await change(open.site, AS_ROOT, it => setSetting(it, 'site.timezone', 'UTC'))

    assert.is(utc.includes('CET'), false)
    assert.is(berlin.includes('as it was before anything'), true)
    assert.match(now, /<strong><time datetime="[^"]+Z">\d+ \w+ \d{4}, \d\d:\d\d CES?T<\/time>/)
    assert.match(now, 'data-zone="Europe/Berlin"')
  })
})
