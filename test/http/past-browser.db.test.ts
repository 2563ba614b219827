import { gzipSync } from 'node:zlib'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { setPassword } from '../../src/commands/accounts.ts'
import { change } from '../../src/commands/change.ts'
import { deletePage } from '../../src/commands/pages.ts'
import { decidePage } from '../../src/content/decide-page.ts'
import type { Following } from '../../src/projector/follow.ts'
import { loadScheme } from '../../src/scheme/scheme.ts'
import { assert, suite } from '../harness.ts'
import { launchChromium } from '../scheme/browser.ts'
import { objectionsTo, picture } from '../support/browser-page.ts'
import { browserSuite } from '../support/chromium.ts'
import { AS_ROOT } from '../support/database.ts'
import { edit, follow, found, make, PASSWORD, text } from './html-site.ts'
import { putGrants, putUser, type TestServer, testServer } from './support.ts'

const SLOW_MS = 120_000
const LONG_TITLE = 'A title that goes on and on, '.repeat(12)
const RTL = 'تاريخ الطاحونة القديمة'
const REVISIONS = 1_000

suite('scripts of views of the past', test => {
  test('are small', () => {
    const scripts = [...loadScheme().assets.values()].filter(({ name }) => name.endsWith('.js'))
    const bytes = scripts.reduce((sum, asset) => sum + gzipSync(asset.bytes).length, 0)

    assert.equal(scripts.length, 3)
    assert.ok(bytes < 60_000, `${bytes} bytes`)
  })
})

browserSuite('the past in a browser', test => {
  let open: TestServer
  let following: Following
  let browser: Browser
  let origin = ''

  test.before(async () => {
    open = await testServer()
    await putGrants(open, [
      ['nobody', 'view', '*'],
      ['editor', 'history', '*'],
      ['editor', 'viewdraft', '*'],
      ['editor', 'post.edit', '*'],
      ['editor', 'post.delete', '*'],
    ])
    const { id } = await putUser(open, 'ed', ['editor'])
    await setPassword(open.site, AS_ROOT, id, PASSWORD)
    await make(open, 'wh', text('Root', 'Welcome.'))
    await make(open, 'wh.long', text(LONG_TITLE, 'One.'))
    await make(open, 'wh.rtl', text(RTL, 'السطر الأول من النص.\n\nالسطر الثاني.'))
    await edit(open, 'wh.rtl', text(RTL, 'السطر الأول من النص.\n\nالسطر الثاني، أفضل.'), {
      note: 'تحسين',
    })
    await make(open, 'wh.gone', text('Gone', 'I shall go.'))
    await make(open, 'wh.gone.below', text('Below', 'So shall I.'))
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.gone.below'))
    await change(open.site, AS_ROOT, it => deletePage(it, 'wh.gone'))
    await manyRevisions(open)
    following = await follow(open)
    await found(open)
    origin = await open.server.listen({ port: 0, host: '127.0.0.1' })
    browser = await launchChromium()
  }, SLOW_MS)
  test.after(async () => {
    await browser.close()
    await following.stop()
    await open.close()
  })

  for (const [name, url] of Object.entries({
    long: '/long/history.html',
    'long in the past': '/long/?at=position:18',
    rtl: '/rtl/history.html',
    'rtl compared': '/rtl/diff.html?from=1&to=2',
    'rtl rendered': '/rtl/diff.html?from=1&to=2&view=rendered',
    'rtl blamed': '/rtl/blame.html',
    restored: '/$restore/?path=wh.many&revision=1',
    'deleted history': '/gone/history.html',
    undeleted: '/$restore/?path=wh.gone',
    many: '/many/history.html?before=900',
    'many compared': '/many/diff.html?from=100&to=900',
    'all changes': '/$changes/',
    said: `/$said/?q=${encodeURIComponent('السطر الثاني')}`,
  })) {
    test(
      `shows ${name} without objections, on a phone too`,
      async () => {
        const { context, page, broken } = await visit({ bypassCSP: true })
        const objections: string[] = []
        for (const width of [360, 1200]) {
          await page.setViewportSize({ width, height: 800 })
          await page.goto(origin + url)
          await page.waitForLoadState('networkidle')
          await picture(page, `past-${name.replaceAll(' ', '-')}-${width}`)
          objections.push(...(await objectionsTo(page)))
        }
        await context.close()

        assert.equal([...objections, ...broken], [])
      },
      SLOW_MS,
    )
  }

  test(
    'is gone through by keys: two are compared, one is restored as a draft',
    async () => {
      const { context, page, broken } = await visit()
      await page.goto(`${origin}/rtl/history.html`)
      await page.waitForSelector('.keys:visible')
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('c')
      const told = await page.textContent('.told')
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('c')
      await page.waitForURL('**/diff.html**')
      const compared = new URL(page.url()).searchParams
      await page.keyboard.press('n')
      const at = await page.textContent('.told')
      await page.check('.compare-tools input')
      const equal = await page.locator('.lines .same').first().isVisible()
      await page.goto(`${origin}/rtl/history.html`)
      await page.waitForSelector('.keys:visible')
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('End')
      await page.keyboard.press('r')
      await page.waitForURL('**/$restore/?path=wh.rtl&revision=1')
      await page.click('main button[type=submit]')
      await page.waitForURL('**/?revision=3')
      const draft = await page.textContent('main')
      await context.close()

      assert.match(told ?? '', 'Revision 2 is chosen')
      assert.equal([compared.get('from'), compared.get('to')], ['1', '2'])
      assert.is(at, 'Change 1 of 1')
      assert.is(equal, false)
      assert.match(draft ?? '', 'It is a draft')
      assert.equal(broken, [])
    },
    SLOW_MS,
  )

  test(
    'brings a field back to what it was, as a draft',
    async () => {
      const { context, page, broken } = await visit()
      await page.goto(`${origin}/many/diff.html?from=1&to=1000`)
      await page.click('text="Restore this field as it was before"')
      const preview = await page.textContent('main')
      await page.click('main button[type=submit]')
      await page.waitForURL(`**/?revision=${REVISIONS + 1}`)
      const seen = await page.textContent('main')
      await context.close()

      assert.match(preview ?? '', 'Text of revision 1000.')
      assert.match(seen ?? '', 'Text of revision 1.')
      assert.equal(broken, [])
    },
    SLOW_MS,
  )

  test(
    'is travelled by a slider and keys',
    async () => {
      const { context, page, broken } = await visit()
      await page.goto(`${origin}/?at=today`)
      const slider = page.locator('input[type=range]')
      await slider.waitFor()
      await slider.focus()
      const begun = await slider.getAttribute('aria-valuetext')
      const shown = await page.textContent('aside.as-of time')
      await page.keyboard.press('Home')
      const said = await slider.getAttribute('aria-valuetext')
      await page.keyboard.press('End')
      await page.keyboard.press('ArrowLeft')
      await page.keyboard.press('Enter')
      await page.waitForURL('**/?at=position**')
      const banner = await page.textContent('aside.as-of')
      await page.click('text="What changed since"')
      const changes = await page.textContent('h1')
      await context.close()

      assert.is(begun, shown)
      assert.match(said ?? '', /\d+ changes?$/)
      assert.match(banner ?? '', 'as it was on')
      assert.is(changes?.trim(), 'What changed')
      assert.equal(broken, [])
    },
    SLOW_MS,
  )

  test(
    'is read, chosen from, compared and travelled without scripts',
    async () => {
      const { context, page } = await visit({ javaScriptEnabled: false })
      await page.goto(`${origin}/rtl/history.html`)
      await page.click('text="Filter"')
      await page.fill('#author', 'nobody')
      await page.click('text="Show these"')
      const none = await page.textContent('main')
      await page.click('text="Show all"')
      await page.click('text="Compare the two chosen"')
      const compared = await page.textContent('.kicker')
      await page.goto(`${origin}/rtl/?at=today`)
      await page.fill('#as-of-day', '2020-01-31')
      await page.click('text="Show"')
      const before = page.url()
      await context.close()

      assert.match(none ?? '', 'No revision fits that.')
      assert.is(compared, 'What changed')
      assert.match(before, 'at=2020-01-31')
    },
    SLOW_MS,
  )

  async function visit(
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<{ context: BrowserContext; page: Page; broken: string[] }> {
    const context = await browser.newContext(options)
    const broken: string[] = []
    const page = await context.newPage()
    page.on('console', message => {
      if (['error', 'warning'].includes(message.type())) broken.push(message.text())
    })
    page.on('pageerror', error => broken.push(error.message))
    await page.goto(`${origin}/$login/`)
    await page.fill('#user', 'ed')
    await page.fill('#password', PASSWORD)
    await page.click('main button[type=submit]')
    return { context, page, broken }
  }
})

/** A page whose text is another one in each revision, as one author wrote it on one day. */
async function manyRevisions({ site }: TestServer): Promise<void> {
  const id = site.newId()
  await change(site, AS_ROOT, async it => {
    for (let revision = 1; revision <= REVISIONS; revision++) {
      const entity = await it.entity(id)
      const document = text('Many', `Text of revision ${revision}.`)
      it.record(
        entity === null
          ? decidePage(null, { type: 'CreatePage', id, path: 'wh.many', document })
          : decidePage(entity, { type: 'RevisePage', document, base: entity.revision }),
      )
    }
  })
}
