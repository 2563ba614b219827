import { change } from '../../src/commands/change.ts'
import { deletePage } from '../../src/commands/pages.ts'
import type { Following } from '../../src/projector/follow.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { browse, edit, follow, found, make, makeSite, text } from './html-site.ts'
import { type TestServer, testServer, withToken } from './support.ts'

suite('when something was said, with a browser', test => {
  let open: TestServer
  let following: Following
  let token = ''
  const get = (url: string) => open.server.inject(browse(url))
  const asEditor = (url: string) => open.server.inject(withToken(token, browse(url)))

  test.before(async () => {
    open = await testServer()
    token = await makeSite(open)
    await make(open, 'wh.pond', text('A pond', 'Newts live here.'))
    await edit(open, 'wh.pond', text('A pond', 'Toads live here.'))
    await make(open, 'wh.gone', text('Gone', 'Newts lived there.'))
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.gone'))
    following = await follow(open)
    await found(open)
  })
  test.after(async () => {
    await following.stop()
    await open.close()
  })

  test('tells of what stands and of what stood, and leads to the revisions', async () => {
    const stood = await asEditor('/$said/?q=newts')
    const stands = await asEditor('/$said/?q=toads+live')

    assert.match(stood.body, '<a class="name" href="/pond/history.html" dir="auto">A pond</a>')
    assert.match(stood.body, '“Newts live here.”')
    assert.match(
      stood.body,
      /<li>From <a href="\/pond\/\?revision=1"><time.*until <a href="\/pond\/\?revision=2">/,
    )
    assert.match(stood.body, '“Newts lived there.”')
    assert.match(stands.body, /<li>Since <a href="\/pond\/\?revision=2">/)
    assert.is(stands.headers['cache-control'], 'no-store')
    for (const [, url = ''] of stood.body.matchAll(/<li>From <a href="([^"]+)"/g)) {
      assert.ok((await asEditor(url)).statusCode < 500)
    }
  })

  test('says when nothing did, and begins with a form', async () => {
    const none = await asEditor('/$said/?q=salmon')
    const form = await asEditor('/$said/')

    assert.match(none.body, 'No page says or said “<span dir="auto">salmon</span>”')
    assert.match(form.body, 'action="/$said/"')
    assert.not.match(form.body, 'No page says')
    assert.is((await get('/$said?q=a')).headers.location, '/$said/?q=a')
    assert.is((await asEditor(`/$said/?q=${'a'.repeat(501)}`)).statusCode, 400)
    assert.is((await asEditor('/$said/?q=newts&after=nonsense')).statusCode, 200)
  })

  test('tells nothing to those who may not read the past', async () => {
    const { statusCode, body } = await get('/$said/?q=newts')

    assert.is(statusCode, 200)
    assert.not.match(body, 'pond')
    assert.not.match((await get('/$search/?q=toads')).body, '/$said/')
    assert.match((await asEditor('/$search/?q=toads')).body, 'href="/$said/?q=toads"')
    assert.match((await asEditor('/$changes/')).body, 'href="/$said/"')
  })
})
