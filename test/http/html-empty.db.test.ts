import { assert, suite } from '../harness.ts'
import { putGrants, type TestServer, testServer } from './support.ts'

suite('a site without pages in a browser', test => {
  let open: TestServer
  test.before(async () => {
    open = await testServer()
    await putGrants(open, [['nobody', 'view', '*']])
  })
  test.after(() => open.close())
  const get = (url: string) => open.server.inject({ url, headers: { accept: 'text/html' } })
  const content = (body: string) => body.slice(body.indexOf('<main'), body.indexOf('</main>'))

  test('says that it has no front page, and leads nobody in a circle', async () => {
    const { statusCode, body } = await get('/')
    const other = await get('/somewhere/')

    assert.is(statusCode, 404)
    assert.match(body, 'There is no front page')
    assert.match(content(body), '>Log in</a>')
    assert.not.match(content(body), 'href="/"')
    assert.match(content(other.body), 'href="/"')
    assert.not.match(content(other.body), '>Log in</a>')
  })

  test('says that the past is not for everyone, whatever was there', async () => {
    for (const url of ['/?at=yesterday', '/history.html', '/blame.html']) {
      const { statusCode, body } = await get(url)
      const isRefused = statusCode === 401
      assert.ok(isRefused || statusCode === 404, `${url} ${statusCode}`)
      if (isRefused) assert.match(body, 'Log in to see the past')
    }
  })

  test('leads from a time that is none to now', async () => {
    const { statusCode, body } = await get('/a/b/?at=x')

    assert.is(statusCode, 400)
    assert.match(content(body), 'href="/a/b/">Look at this page as it is today</a>')
  })

  test('has no changes to show, and says that there may be more for others', async () => {
    const { statusCode, body } = await get('/$changes/')

    assert.is(statusCode, 200)
    assert.match(body, 'Nothing has changed yet that you may see.')
    assert.match(content(body), 'to see more.')
  })
})
