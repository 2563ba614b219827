import type { InjectOptions } from 'fastify'
import { change } from '../../src/commands/change.ts'
import { permitRole } from '../../src/commands/rights.ts'
import { assert, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import { browse, edit, make, makeSite, text } from './html-site.ts'
import { type TestServer, testServer, withToken } from './support.ts'

suite('pages as HTML', test => {
  let open: TestServer
  let token = ''
  const get = (url: string, more: InjectOptions = {}) => open.server.inject(browse(url, more))
  const asEditor = (url: string) => open.server.inject(withToken(token, browse(url)))

  test.before(async () => {
    open = await testServer()
    token = await makeSite(open)
  })
  test.after(() => open.close())

  test('shows the front page with its navigation, in the rights of who reads', async () => {
    const everyone = await get('/')
    const editor = await asEditor('/')

    assert.is(everyone.statusCode, 200, everyone.body)
    assert.match(String(everyone.headers['content-type']), /^text\/html/)
    assert.match(everyone.body, '<strong>mill</strong>')
    assert.match(everyone.body, '<a href="/blog/" dir="auto">Notebook</a>')
    assert.not.match(everyone.body, 'Hush')
    assert.not.match(everyone.body, 'history.html')
    assert.match(editor.body, '<a href="/secret/" dir="auto">Hush</a>')
    assert.match(editor.body, 'href="/history.html"')
  })

  test('shows a post with breadcrumb, picture, tags and comments', async () => {
    const { body } = await get('/blog/post_1/')

    assert.match(body, '<li><a href="/blog/" dir="auto">Notebook</a></li>')
    assert.match(body, 'src="/images/wheel/$file/infile.svg"')
    assert.match(body, 'href="/meta/wood/"')
    assert.match(body, '1 comment')
    assert.match(body, '<a href="/users/ed/" dir="auto">ed</a>')
    assert.match(body, 'What a <b>wheel</b>!')
    assert.not.match(body, 'alert(1)')
  })

  test('lists posts newest first, a part at a time, forward and back', async () => {
    const first = await get('/blog/')
    const [, nextUrl = ''] = /rel="next" href="([^"]+)"/.exec(first.body) ?? []
    const second = await get(nextUrl.replaceAll('&amp;', '&'))
    const [, backUrl = ''] = /rel="prev" href="([^"]+)"/.exec(second.body) ?? []

    assert.match(first.body, 'Post 17')
    assert.not.match(first.body, '>Post 2<')
    assert.match(second.body, '>Post 2<')
    assert.not.match(second.body, '>Post 17<')
    assert.is(backUrl, '/blog/')
  })

  test('begins a listing anew for a cursor that is not its own', async () => {
    const answer = await get('/blog/?children=nonsense')

    assert.is(answer.statusCode, 200)
    assert.match(answer.body, 'Post 17')
  })

  test('lists what uses a tag or a predicate', async () => {
    assert.match((await get('/meta/wood/')).body, 'href="/blog/post_1/"')
    assert.match((await get('/meta/about/')).body, 'href="/blog/post_1/"')
  })

  test('sends other spellings to the one there is', async () => {
    const slashless = await get('/blog/post_1?x=1')
    const capital = await get('/Blog/')

    assert.is(slashless.statusCode, 308)
    assert.is(slashless.headers.location, '/blog/post_1/?x=1')
    assert.is(capital.headers.location, '/blog/')
  })

  test('leads on from where a page was moved or deleted', async () => {
    const moved = await get('/old/?x=1')
    const away = await get('/away/')
    const near = await get('/near/')
    const gone = await get('/gone/')

    assert.is(moved.statusCode, 308)
    assert.is(moved.headers.location, '/newer/?x=1')
    assert.is(away.statusCode, 302)
    assert.is(away.headers.location, 'https://example.org/new?x=1')
    assert.is(near.headers.location, '/blog/')
    assert.is(gone.statusCode, 410)
    assert.match(gone.body, 'This page was deleted')
    assert.not.match(gone.body, 'history.html')
    assert.match((await asEditor('/gone/')).body, 'href="/gone/history.html"')
  })

  test('tells what may not be seen and what is not there in the same bytes', async () => {
    for (const [hidden, absent] of [
      ['/secret/', '/secres/'],
      ['/secret/deep/', '/secret/deer/'],
      ['/secret/history.html', '/secres/history.html'],
      ['/secret/diff.html?from=1&to=1', '/secres/diff.html?from=1&to=1'],
      ['/secret/?at=position:40', '/secres/?at=position:40'],
      ['/secret/?revision=1', '/secres/?revision=1'],
      ['/coming/', '/cominh/'],
    ] as const) {
      const seen = await get(hidden)
      const other = await get(absent)

      assert.is(seen.statusCode, 404, hidden)
      assert.is(neutral(seen.body, hidden), neutral(other.body, absent))
      assert.equal(Object.keys(seen.headers), Object.keys(other.headers))
    }
  })

  test('shows a page that was never live to those who may see drafts', async () => {
    const answer = await asEditor('/coming/')

    assert.is(answer.statusCode, 200)
    assert.match(answer.body, 'It is a draft and not what readers see.')
    assert.match(answer.body, 'Not out yet.')
  })

  test('shows a revision, drafts too, to those who may look into the past', async () => {
    const draft = await asEditor('/blog/post_2/?revision=4')
    const nobody = await get('/blog/post_2/?revision=1')
    const none = await asEditor('/blog/post_2/?revision=77')
    const malformed = await asEditor('/blog/post_2/?revision=x')

    assert.match(draft.body, 'A draft of post 2.')
    assert.match(draft.body, 'Not yet')
    assert.is(nobody.statusCode, 401)
    assert.match(nobody.body, 'Log in to see the past')
    assert.is(none.statusCode, 404)
    assert.match(none.body, 'no such revision')
    assert.is(malformed.statusCode, 400)
  })

  test('shows the site as it was, and links stay there', async () => {
    const { headers } = await asEditor('/blog/post_2/?revision=2')
    const at = `at=position%3A${String(headers['rm3-position'])}`
    const { body } = await asEditor(`/blog/post_2/?${at}`)

    assert.match(body, 'The second text of post 2.')
    assert.match(body, 'This is the site as it was on')
    assert.match(body, `<a href="/blog/post_2/">Back to today</a>`)
    assert.match(body, `<a href="/blog/?${at}" dir="auto">Notebook</a>`)
    assert.match(body, `href="/blog/post_2/history.html?${at}"`)
    assert.is((await asEditor(`/gone/?${at}`)).statusCode, 404)
    assert.is((await get(`/blog/?${at}`)).statusCode, 401)
  })

  test('shows both sides of a comparison with their pictures of then', async () => {
    for (const words of ['Other words.', 'More words.']) {
      const source = `${words}\n\n![Wheel](/images/wheel/)`
      await edit(open, 'wh.blog.post_9', text('Post 9', source, { proto: 'blog' }))
    }
    const { body } = await asEditor('/blog/post_9/diff.html?from=2&to=3&view=rendered')
    const pictures = [...body.matchAll(/<img src="([^"]+)"/g)].map(([, src]) => src)
    const texts = pictures.filter(src => src?.startsWith('/images/wheel/$file/'))

    assert.is(texts.length, 2)
    assert.is(new Set(texts).size, 2)
    assert.ok(texts.every(src => src?.includes('?at=position%3A')))
    assert.match(body, 'Other words.')
    const before = await asEditor('/blog/post_9/diff.html?from=1&to=3&view=rendered')
    assert.match(before.body, 'class="missing"')
  })

  test('shows one revision by at, in its time', async () => {
    const { body } = await asEditor('/blog/post_2/?at=revision:2')

    assert.match(body, 'The second text of post 2.')
    assert.match(body, 'Revision 2')
    assert.match(body, 'This is the site as it was on')
  })

  test('refuses times that are none', async () => {
    const answer = await get('/?at=someday')

    assert.is(answer.statusCode, 400)
    assert.match(answer.body, 'a time that is none')
  })

  test('lists the history with what each revision changed', async () => {
    const { body } = await asEditor('/blog/post_2/history.html')
    const paged = await asEditor('/blog/post_2/history.html?before=3')

    assert.match(body, '4 revisions')
    assert.match(body, 'Said it better')
    assert.match(body, 'href="/blog/post_2/diff.html?from=1&amp;to=2"')
    assert.match(body, 'href="/blog/post_2/?revision=4"')
    assert.match(paged.body, 'Said it better')
    assert.not.match(paged.body, '?revision=3"')
    assert.is((await get('/blog/post_2/history.html')).statusCode, 401)
  })

  test('lists the history of what was moved, at its old address too, and of what was deleted', async () => {
    const old = await asEditor('/old/history.html')
    const moved = await asEditor('/newer/history.html')
    const gone = await asEditor('/gone/history.html')

    assert.is(old.headers.location, '/newer/history.html')
    assert.match(moved.body, 'from wh.old to wh.newer')
    assert.match(gone.body, 'This page is deleted.')
  })

  test('compares two revisions', async () => {
    const { body } = await asEditor('/blog/post_2/diff.html?from=2&to=3')

    assert.match(body, 'The second text of post 2.</del>')
    assert.match(body, 'The third text of post 2.</ins>')
    assert.match(body, 'href="/blog/post_2/diff.html?from=1&amp;to=2"')
    assert.is((await asEditor('/blog/post_2/diff.html?from=2')).statusCode, 400)
  })

  test('gives the record as JSON where that is asked for', async () => {
    const answer = await get('/blog/', { headers: { accept: 'application/json' } })

    assert.match(String(answer.headers['content-type']), /^application\/json/)
  })

  test('keeps a page until the log has grown, with an ETag that follows from its bytes', async () => {
    const first = await get('/newer/')
    const etag = String(first.headers.etag)
    const again = await get('/newer/', { headers: { 'if-none-match': etag } })
    await edit(open, 'wh.meta', text('Other', 'Nothing that the page shows.'))
    const same = await get('/newer/', { headers: { 'if-none-match': etag } })
    await edit(open, 'wh.newer', text('Newer', 'Changed.'))
    const changed = await get('/newer/', { headers: { 'if-none-match': etag } })

    assert.is(again.statusCode, 304)
    assert.is(again.body, '')
    assert.match(String(again.headers['content-security-policy']), "style-src 'self'")
    assert.is(same.statusCode, 304)
    assert.is(changed.statusCode, 200)
    assert.match(changed.body, 'Changed.')
    assert.is(changed.headers['cache-control'], 'no-cache')
  })

  test('shows at once what a change of rights shows or hides', async () => {
    await make(open, 'wh.blog.post_18', text('Post 18', 'New.', { proto: 'blog' }))
    const before = await get('/blog/post_2/')
    const grant = { role: 'nobody', permission: 'history', pattern: 'wh.blog.*' }
    await change(open.site, AS_ROOT, it => permitRole(it, grant))
    const after = await get('/blog/post_2/')

    assert.not.match(before.body, 'history.html')
    assert.match(after.body, 'href="/blog/post_2/history.html"')
    assert.is((await get('/blog/post_2/?revision=4')).statusCode, 404)
    assert.not.match((await get('/blog/post_2/history.html')).body, 'Not yet')
  })

  test('never keeps what someone logged in sees for others', async () => {
    const mine = await asEditor('/blog/')
    const other = await get('/blog/')

    assert.is(mine.headers['cache-control'], 'private, no-cache')
    assert.match(mine.body, 'href="/$account/"')
    assert.not.match(other.body, 'href="/$account/"')
  })
})

/** A page without what differs by right: the address itself and the id of the request. */
function neutral(body: string, url: string): string {
  const [pathname = ''] = url.split('?')
  return body
    .replaceAll(`href="${pathname}"`, 'href="PATH"')
    .replaceAll(encodeURIComponent(url).replaceAll('%20', '+'), 'URL')
    .replace(/<code>[^<]*<\/code>/, '')
}
