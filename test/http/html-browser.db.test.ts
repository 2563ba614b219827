import type { Browser, BrowserContext } from 'playwright-core'
import type { Following } from '../../src/projector/follow.ts'
import { assert } from '../harness.ts'
import { launchChromium } from '../scheme/browser.ts'
import { objectionsTo, picture } from '../support/browser-page.ts'
import { browserSuite } from '../support/chromium.ts'
import { follow, found, makeSite, PASSWORD } from './html-site.ts'
import { type TestServer, testServer } from './support.ts'

const WIDTHS = [360, 1200]

/** Everything that a reader meets, with what it must say. */
const EVERYONE = {
  front: ['/', 'Welcome to the mill.'],
  blog: ['/blog/', 'Post 17'],
  post: ['/blog/post_1/', 'What a wheel!'],
  picture: ['/images/wheel/', 'The wheel'],
  pictures: ['/images/', 'The wheel'],
  tag: ['/meta/wood/', 'Post 1'],
  search: ['/$search/', 'Search'],
  found: ['/$search/?q=text', 'best first'],
  nothing: ['/$search/?q=gold', 'Nothing was found for'],
  login: ['/$login/', 'User name'],
  absent: ['/nothing/', 'There is nothing here'],
  gone: ['/gone/', 'This page was deleted'],
  refused: ['/blog/post_2/history.html', 'Log in to see the past'],
  malformed: ['/?at=x', 'a time that is none'],
} as const
const EDITOR = {
  history: ['/blog/post_2/history.html', 'Said it better'],
  diff: ['/blog/post_2/diff.html?from=1&to=3', 'The third text of post 2.'],
  revision: ['/blog/post_2/?revision=4', 'It is a draft'],
  draft: ['/coming/', 'Not out yet.'],
  past: ['/blog/post_2/?at=revision:2', 'Revision 2 by The operator'],
  moved: ['/newer/history.html', 'from wh.old to wh.newer'],
  deleted: ['/gone/history.html', 'This page is deleted.'],
  account: ['/$account/', 'Log out'],
} as const

browserSuite('pages in a browser', test => {
  let open: TestServer
  let following: Following
  let browser: Browser
  let origin = ''

  test.before(async () => {
    open = await testServer()
    await makeSite(open)
    following = await follow(open)
    await found(open)
    origin = await open.server.listen({ port: 0, host: '127.0.0.1' })
    browser = await launchChromium()
  })
  test.after(async () => {
    await browser.close()
    await following.stop()
    await open.close()
  })

  for (const [name, [url, words]] of Object.entries({ ...EVERYONE, ...EDITOR })) {
    test(`shows ${name} without objections, on a phone too`, async () => {
      const context = await browser.newContext({ bypassCSP: true })
      if (Object.hasOwn(EDITOR, name)) await logIn(context, origin)
      const page = await context.newPage()
      const objections: string[] = []
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 800 })
        await page.goto(origin + url)
        await picture(page, `${name}-${width}`)
        objections.push(...(await objectionsTo(page)))
      }
      const seen = (await page.textContent('main')) ?? ''
      await context.close()

      assert.match(seen, words)
      assert.equal(objections, [])
    })
  }

  test('is browsed, logged into and out of without breaking its content security policy', async () => {
    const context = await browser.newContext()
    const broken: string[] = []
    context.on('console', message => {
      if (!/\b(401|404|410)\b/.test(message.text())) broken.push(message.text())
    })
    const page = await context.newPage()
    page.on('pageerror', error => broken.push(error.message))
    const seen: (string | undefined)[] = []
    const look = async () => seen.push((await page.textContent('h1'))?.trim())

    await page.goto(`${origin}/`)
    await page.click('nav.site >> text=Notebook')
    await page.click('text=More')
    await page.click('text="Post 2"')
    await look()
    await page.click('text="Log in"')
    await page.fill('#user', 'ed')
    await page.fill('#password', 'wrong')
    await page.click('main button[type=submit]')
    await page.fill('#password', PASSWORD)
    await page.click('main button[type=submit]')
    await look()
    await page.click('footer >> text=History')
    await page.click('text="Compare the two chosen"')
    await look()
    await page.click('text="The change before"')
    await page.click('dl.sides >> text="Revision 2"')
    await look()
    await page.goto(`${origin}/blog/post_2/?at=revision:2`)
    await page.click('nav.trail >> text=Notebook')
    const past = (await page.textContent('aside.as-of')) ?? ''
    await page.click('text="Back to today"')
    const today = page.url()
    await page.click('.tools >> text=ed')
    await page.click('text="Log out"')
    const after = await page.goto(`${origin}/secret/`)
    await context.close()

    assert.equal(seen, ['Post 2', 'Post 2', 'Post 2', 'Post 2'])
    assert.match(past, 'as it was on')
    assert.is(today, `${origin}/blog/`)
    assert.is(after?.status(), 404)
    assert.equal(broken, [])
  })

  test('is searched by keyboard, without scripts', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()

    await page.goto(`${origin}/blog/`)
    await page.focus('header input[type=search]')
    await page.keyboard.type('"post 11"')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/$search/**')
    const asked = await page.inputValue('main input[type=search]')
    const marked = await page.textContent('main mark')
    await page.click('main li a')
    const title = (await page.textContent('h1'))?.trim()
    await context.close()

    assert.is(asked, '"post 11"')
    assert.match(marked ?? '', /post/i)
    assert.is(title, 'Post 11')
  })
})

async function logIn(context: BrowserContext, origin: string): Promise<void> {
  const page = await context.newPage()
  await page.goto(`${origin}/$login/`)
  await page.fill('#user', 'ed')
  await page.fill('#password', PASSWORD)
  await page.click('main button[type=submit]')
  await page.close()
}
