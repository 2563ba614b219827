import { createHash } from 'node:crypto'

/** A static file of a scheme. */
export interface Asset {
  readonly name: string
  readonly bytes: Buffer
  /** With charset where it has one. */
  readonly mediaType: string
  /** First 16 hex characters of its SHA-256. */
  readonly hash: string
  /** `/$static/<hash>/<name>`: the same URL always has the same bytes, so it may be cached for ever. */
  readonly url: string
}

/** What pages may load: pictures over https, sound of the site, its own style sheet; no script, frame or foreign form. */
export const PAGE_CSP = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self' https:",
  "media-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** As `PAGE_CSP`, for views that rm3's own scripts make easier to use: they ask the site's API, and nothing else. */
const SCRIPT_CSP = `${PAGE_CSP}; script-src 'self'; connect-src 'self'`
const SCRIPT = '<script type="module" src="/$static/'
const HEAD_CHARS = 10_000

/** What a rendered view may load: scripts too where the scheme has put one into its head, which no author's text can. */
export function policyOf(html: string | Buffer): string {
  const text =
    typeof html === 'string' ? html.slice(0, HEAD_CHARS) : html.toString('utf8', 0, HEAD_CHARS)
  const [head = ''] = text.split('</head>', 1)
  return head.includes(SCRIPT) ? SCRIPT_CSP : PAGE_CSP
}

const PREFIX = '/$static/'
const HASH_LENGTH = 16
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

/** The media type of a static file by its name; null when it is none that a scheme serves. */
export function assetType(name: string): string | null {
  return MEDIA_TYPES[name.slice(name.lastIndexOf('.'))] ?? null
}

/** @param mediaType as `assetType` says of `name` */
export function createAsset(name: string, bytes: Buffer, mediaType: string): Asset {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, HASH_LENGTH)
  return { name, bytes, mediaType, hash, url: `${PREFIX}${hash}/${name}` }
}

/** The asset at `url` (path only); null when there is none, also when its bytes have changed since. */
export function findAsset(assets: ReadonlyMap<string, Asset>, url: string): Asset | null {
  const asset = assets.get(url.slice(url.lastIndexOf('/') + 1))
  return asset !== undefined && asset.url === url ? asset : null
}
