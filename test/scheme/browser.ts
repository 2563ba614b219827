import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium } from 'playwright-core'
import { findAsset } from '../../src/scheme/assets.ts'
import { findChromium } from '../support/chromium.ts'
import { scheme } from './sample-site.ts'

/** A headless browser that asks the outside for nothing by itself. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium() ?? '',
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  })
}

const PICTURE =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 3 2"><path fill="#777" d="M0 0h3v2H0z"/></svg>'

/** A server of `pages` by name, with the scheme's static files and one picture for every `.svg`; `csp` goes with the pages. */
export async function servePages(
  pages: ReadonlyMap<string, string>,
  csp: ((page: string) => string) | null,
): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    const asset = findAsset(scheme.assets, path)
    const page = pages.get(path.slice(1))
    if (asset) response.writeHead(200, { 'content-type': asset.mediaType }).end(asset.bytes)
    else if (page !== undefined) {
      response.setHeader('content-type', 'text/html; charset=utf-8')
      if (csp !== null) response.setHeader('content-security-policy', csp(page))
      response.end(page)
    } else if (path.endsWith('.svg')) {
      response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(PICTURE)
    } else response.writeHead(404).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}
