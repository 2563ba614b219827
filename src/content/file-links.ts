import type { Document, JsonObject } from './document.ts'

/**
 * The member of `data` that says where links from file to file lead, of pages whose text is a file of a repository: site-relative URLs by what stands in
 * the text (`fileLinkKey`). The text itself stays as it is in the file.
 */
export const FILE_LINKS = 'fileLinks'

/** By what stands in the text. */
export type FileLinks = Readonly<Record<string, string>>

const HREF_CHARS_MAX = 500
const ON_SITE = /^\/(?![/\\])[^\s<>"'\\]*$/

/**
 * What tells a link to a file from others, out of an address in a text: its path, decoded; null when it is no path, but an address elsewhere or a place on the
 * same page.
 */
export function fileLinkKey(href: string): string | null {
  const [path = ''] = href.split(/[?#]/, 1)
  const isPath =
    path !== '' && path.length <= HREF_CHARS_MAX && !/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(path)
  if (!isPath) return null
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** The links of a document from file to file; {} for none. What is no address on the site is left out: anybody may write a document. */
export function fileLinksOf({ data }: Pick<Document, 'data'>): FileLinks {
  const links = Object.hasOwn(data, FILE_LINKS) ? data[FILE_LINKS] : null
  if (typeof links !== 'object' || links === null || Array.isArray(links)) return {}
  const sound = Object.entries(links as JsonObject).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && ON_SITE.test(entry[1]),
  )
  return Object.fromEntries(sound)
}

/** An address as it leads on the site: where it is a file's that is known, with its query and fragment; else as it stands. */
export function followFileLink(links: FileLinks, href: string): string {
  const key = fileLinkKey(href)
  if (key === null || !Object.hasOwn(links, key)) return href
  return `${links[key]}${/[?#].*$/s.exec(href)?.[0] ?? ''}`
}
