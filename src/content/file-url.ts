import { isRm3Error } from '../errors.ts'
import { checkBlobName } from './decide-blob.ts'
import { URL_PATH_MAX } from './limits.ts'
import { fromUrl, toUrl } from './path.ts'

/** The file of a page that a URL leads to. */
export interface FileTarget {
  readonly path: string
  readonly name: string
  /** The URL path to redirect to when the page's part was not in its one spelling; else null. */
  readonly redirect: string | null
}

const FILE = /^(.*\/)\$file\/([^/]+)$/

/**
 * The URL path of a file: the page's own, `$file` and its name, as in `/images/sunset/$file/large.jpg`.
 *
 * @throws PATH_INVALID when the page is not under `root`
 */
export function toFileUrl(path: string, name: string, root = 'wh'): string {
  return `${toUrl(path, root)}$file/${encodeURIComponent(name)}`
}

/** What file such a URL path leads to; null when it is no URL of a file. @param pathname as it was sent, without the query */
export function fromFileUrl(pathname: string, root = 'wh'): FileTarget | null {
  const [, pageUrl = '', segment = ''] = FILE.exec(pathname) ?? []
  if (segment === '' || pathname.length > URL_PATH_MAX) return null
  const page = fromUrl(pageUrl, root)
  const name = nameOf(segment)
  if (page === null || name === null || page.page !== null || page.rest.length > 0) return null
  const { path } = page
  return { path, name, redirect: page.redirect === null ? null : toFileUrl(path, name, root) }
}

function nameOf(segment: string): string | null {
  try {
    const name = decodeURIComponent(segment).normalize('NFC')
    checkBlobName(name)
    return name
  } catch (thrown) {
    if (thrown instanceof URIError || isRm3Error(thrown)) return null
    throw thrown
  }
}
