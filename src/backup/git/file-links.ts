import { isDocument } from '../../content/check-document.ts'
import type { Document } from '../../content/document.ts'
import { FILE_LINKS, fileLinkKey, fileLinksOf } from '../../content/file-links.ts'
import { referencesOf } from '../../content/hyperlinks.ts'

/** Links of a page that are looked at. */
const LINKS_MAX = 1_000

/**
 * The document of a file, with where its links to other files lead on the site (`data.fileLinks`). Its text stays as it is.
 *
 * @param urlOf where a file or folder of the repository is on the site; null when it is not there
 */
export function withFileLinks(
  document: Document,
  file: string,
  urlOf: (name: string) => string | null,
): Document {
  const links = new Map(Object.entries(fileLinksOf(document)))
  for (const href of referencesOf(document)) {
    const key = fileLinkKey(href)
    const name = key === null ? null : nameFrom(file, key)
    const url = name === null ? null : urlOf(name)
    if (key !== null && url !== null && links.size < LINKS_MAX) links.set(key, url)
  }
  if (links.size === 0) return document
  const linked = {
    ...document,
    data: { ...document.data, [FILE_LINKS]: Object.fromEntries(links) },
  }
  return isDocument(linked) ? linked : document // one that is as large as may be has no room for them
}

/** What a path in a file names, from the topmost folder; null when it leaves the repository. */
function nameFrom(file: string, path: string): string | null {
  const names = path.startsWith('/') ? [] : file.split('/').slice(0, -1)
  for (const name of path.split('/')) {
    if (name === '..' && names.pop() === undefined) return null
    if (name !== '..' && name !== '.' && name !== '') names.push(name)
  }
  return names.join('/')
}
