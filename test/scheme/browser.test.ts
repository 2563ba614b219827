import type { Server } from 'node:http'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import { policyOf } from '../../src/scheme/assets.ts'
import { assert } from '../harness.ts'
import { browserSuite } from '../support/chromium.ts'
import { launchChromium, servePages } from './browser.ts'
import { PLACES } from './hostile-views.ts'
import { PAYLOADS } from './payloads.ts'
import { sampleViews } from './sample-views.ts'

/** Colours do not depend on the width, nor the other way round. */
const CASES = [
  { width: 360, colour: 'dark' },
  { width: 1200, colour: 'light' },
] as const

/** What the tests must notice. */
const PLANTED = `<!doctype html><html lang="en"><title>x</title><body><h1 style="color:#ddd;background:#fff">Too pale</h1>
<script>alert(1)</script><p onmouseover="alert(2)">x</p><img alt="" src="https://evil.example/x.png"></body></html>`

browserSuite('scheme in a browser', test => {
  const views = sampleViews()
  const hostile = hostilePages()
  let browser: Browser
  let site: { server: Server; url: string }
  let bareSite: { server: Server; url: string }

  test.before(async () => {
    browser = await launchChromium()
    site = await servePages(views, policyOf)
    bareSite = await servePages(new Map([...hostile, ['planted', PLANTED]]), null)
  })
  test.after(async () => {
    await browser.close()
    site.server.close()
    bareSite.server.close()
  })

  for (const name of hostile.keys()) {
    test(`runs and loads nothing of all payloads as ${name}, without a content security policy`, async () => {
      const seen = await watch(browser, [bareSite.url + name], poke)

      assert.equal(seen, [])
    })
  }

  for (const name of views.keys()) {
    test(`finds nothing to object to for the disabled in ${name}, and nothing wider than the screen`, async () => {
      const objections: string[] = []
      const context = await browser.newContext({ bypassCSP: true })
      const page = await context.newPage()
      await page.goto(site.url + name)
      for (const { width, colour } of CASES) {
        await page.setViewportSize({ width, height: 800 })
        await page.emulateMedia({ colorScheme: colour })
        const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
        for (const violation of violations) {
          objections.push(`${width} ${colour}: ${violation.id} ${violation.nodes[0]?.html ?? ''}`)
        }
        if (await isWide(page)) objections.push(`${width} ${colour}: scrolls sideways`)
      }
      await context.close()

      assert.equal(objections, [])
    })
  }

  test('is watched closely enough to see what does get through', async () => {
    const seen = await watch(browser, [`${bareSite.url}planted`], poke)
    const page = await browser.newPage()
    await page.goto(`${bareSite.url}planted`)
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
    await page.close()

    assert.ok(seen.includes('dialog 1'))
    assert.ok(seen.includes('dialog 2'))
    assert.ok(seen.some(line => line.startsWith('request https://evil.example/')))
    assert.ok(violations.some(({ id }) => id === 'color-contrast'))
  })

  test('breaks no rule of its content security policy', async () => {
    const urls = [...views.keys()].map(name => site.url + name)

    assert.equal(await watch(browser, urls), [])
  })
})

/** All payloads in one place after another, as one page each: the bodies of the pages in one. */
function hostilePages(): Map<string, string> {
  return new Map(
    Object.entries(PLACES).map(([place, render]) => {
      const pages = PAYLOADS.map(payload => render(payload))
      const bodies = pages.map(page =>
        page.slice(page.indexOf('<body>') + 6, page.lastIndexOf('</body>')),
      )
      const head = pages[0]?.slice(0, pages[0].indexOf('<body>')) ?? ''
      return [place.replaceAll(' ', '-'), `${head}<body>${bodies.join('\n')}</body></html>`]
    }),
  )
}

/** What the pages at `urls` (of one site) do that they should not: dialogs, errors, requests beyond itself and its files. */
async function watch(
  browser: Browser,
  urls: readonly string[],
  touch?: (page: Page) => Promise<void>,
): Promise<string[]> {
  const seen: string[] = []
  const context = await browser.newContext()
  const page = await context.newPage()
  const own = new URL(urls[0] ?? '').origin
  page.on('dialog', dialog => {
    seen.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('pageerror', error => seen.push(`error ${error.message}`))
  page.on('console', message => {
    if (!message.text().includes('404')) seen.push(`console ${message.text()}`)
  })
  page.on('framenavigated', frame => {
    if (!urls.includes(frame.url()) && frame.url() !== 'about:blank')
      seen.push(`went to ${frame.url()}`)
  })
  page.on('request', request => {
    if (new URL(request.url()).origin !== own) seen.push(`request ${request.url()}`)
  })
  // seen, but not let out
  await page.route(
    other => other.origin !== own,
    route => route.abort(),
  )
  for (const url of urls) {
    await page.goto(url, { waitUntil: 'load' })
    if (touch) await touch(page)
  }
  await context.close()
  return seen
}

/** Events that handlers wait for, on everything. */
async function poke(page: Page): Promise<void> {
  await page.evaluate(`for (const element of document.querySelectorAll('body *')) {
    for (const type of ['mouseover', 'focus', 'toggle', 'load', 'error', 'pointerenter']) {
      element.dispatchEvent(new Event(type))
    }
    const url = element.href ?? element.src
    if (typeof url === 'string' && /^(javascript|data|vbscript):/i.test(url)) throw new Error('active ' + url)
  }`)
}

async function isWide(page: Page): Promise<boolean> {
  return (await page.evaluate(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  )) as boolean
}
