import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { readLegacyBackup } from '../../src/backup/legacy/backup.ts'
import { openBlobStore, putBlob } from '../../src/blobs/store.ts'
import { importSite } from '../../src/commands/import.ts'
import { sharedData } from '../backup/legacy/shared-data.ts'
import { assert } from '../harness.ts'
import { launchChromium } from '../scheme/browser.ts'
import { browserSuite } from '../support/chromium.ts'
import { type TestServer, testServer } from './support.ts'

const data = sharedData('a loaded backup in a browser')

const WIDE = 'document.documentElement.scrollWidth > document.documentElement.clientWidth'
const URLS = `select replace(substr(path, 3), '.', '/') || '/' as url from pages order by path`

if (data !== null) {
  browserSuite('a loaded backup in a browser', test => {
    let open: TestServer
    let browser: Browser
    let origin = ''
    const publicBlobsFolder = mkdtempSync(join(tmpdir(), 'rm3-html-'))

    test.before(async () => {
      open = await testServer({
        publicBlobsFolder,
        privateBlobsFolder: join(publicBlobsFolder, 'private'),
      })
      await load(open, join(data, 'rm3-backups', 'v0.3.8'), publicBlobsFolder)
      origin = await open.server.listen({ port: 0, host: '127.0.0.1' })
      browser = await launchChromium()
    })
    test.after(async () => {
      await browser.close()
      await open.close()
      rmSync(publicBlobsFolder, { recursive: true, force: true })
    })

    for (const view of ['', 'history.html', '?at=revision:1']) {
      test(`shows ${view || 'the page'} of all pages on a phone, with no objection of the browser`, async () => {
        const context = await browser.newContext({ viewport: { width: 360, height: 800 } })
        const objections: string[] = []
        const page = await context.newPage()
        context.on('console', message => objections.push(`${page.url()} ${message.text()}`))
        await logIn(page, origin)
        const pages = await open.site.db.rows<{ url: string }>(URLS)
        for (const { url } of pages) {
          const answer = await page.goto(origin + url + view)
          if (answer?.status() !== 200) objections.push(`${url} ${answer?.status()}`)
          const wide = await page.evaluate(WIDE)
          if (wide) objections.push(`${url} scrolls sideways`)
        }
        await context.close()

        assert.ok(pages.length > 15)
        assert.equal(objections, [])
      })
    }

    test('shows what a revision of years ago changed, and the site as it was then', async () => {
      const context = await browser.newContext()
      const page = await context.newPage()
      await logIn(page, origin, '?next=/blog/history.html')
      await page.click('text="What changed"')
      const changed = await page.textContent('main')
      await page.goto(`${origin}/?at=2017-02-21T16:25:00Z`)
      const then = await page.textContent('body')
      await context.close()

      assert.match(changed ?? '', 'navbar')
      assert.match(then ?? '', 'as it was on 21 February 2017')
    })
  })
}

async function logIn(page: Page, origin: string, query = ''): Promise<void> {
  await page.goto(`${origin}/$login/${query}`)
  await page.fill('#user', 'wirehead')
  await page.fill('#password', 'password')
  await page.click('main button[type=submit]')
}

async function load(open: TestServer, dir: string, folder: string): Promise<void> {
  const backup = await readLegacyBackup(dir)
  const store = await openBlobStore(folder)
  for (const { file, category } of backup.blobs) {
    if (category === 'public') await putBlob(store, join(dir, file))
  }
  const secrets = backup.credentials.map(({ credential, user, details }) => ({
    credential,
    userId: user,
    secret: JSON.stringify(details),
  }))
  await importSite(open.site, { appends: backup.events, secrets }, {})
}
