import type { Document, JsonObject, Stored } from './document.ts'
import { fileLinksOf, followFileLink } from './file-links.ts'
import { fromUrl, isUnder, toUrl } from './path.ts'
import { storedBlocksOf, type TextBlock, textBlocksOf } from './text-blocks.ts'

/** Where a link of a page leads. */
export type Hyperlink =
  /** To a page of the site (or to a file or view of it), by the page's path. */
  | { readonly type: 'page'; readonly path: string }
  /** Anywhere else. */
  | { readonly type: 'url'; readonly url: string }

/** Links of one page that are looked at, and characters of an address. */
const LINKS_MAX = 1_000
const URL_CHARS_MAX = 2_000
const SOURCE_CHARS_MAX = 1_000_000
/** Any host will do: it only tells links of the site from links elsewhere. */
const SOMEWHERE = 'https://site.invalid'

/**
 * Where the links in a document's texts lead, each once, in the order in which they stand. Links within code are none, nor are those
 * to places of the same page, and other schemes than http(s).
 *
 * @param path of the page, which relative links are read from
 */
export function hyperlinksOf(document: Document, path: string): Hyperlink[] {
  let base: URL | undefined
  const found = new Map<string, Hyperlink>()
  const fileLinks = fileLinksOf(document)
  const add = (written: string) => {
    if (found.size >= LINKS_MAX) return
    const href = followFileLink(fileLinks, written.trim())
    base ??= new URL(isUnder(path, 'wh') ? toUrl(path) : '/', SOMEWHERE) // most pages have no links
    const link = linkOf(href, base)
    if (link !== null) found.set(keyOfLink(link), link)
  }
  for (const block of textBlocksOf(document)) for (const href of hrefsIn(block)) add(href)
  const { url } = document.summary
  if (document.proto === 'link' && typeof url === 'string') add(url)
  return [...found.values()]
}

/** One of them is in every text that has a link. */
const LINK_SIGNS = /[<\]]/

/** Whether a document may have hyperlinks: false where surely it has none. It is not put together for that. */
export function mayLink(stored: Stored): boolean {
  if ((stored as JsonObject)['proto'] === 'link') return true
  return storedBlocksOf(stored).some(({ pieces }) => pieces.some(piece => LINK_SIGNS.test(piece)))
}

/** What links and pictures in a document's texts name, as it stands there. What is none after all may be among it. */
export function referencesOf(document: Document): string[] {
  return textBlocksOf(document).flatMap(block => [...referencesIn(block)])
}

/** The same for two links that lead to the same place. */
export function keyOfLink(link: Hyperlink): string {
  return link.type === 'page' ? `page ${link.path}` : `url ${link.url}`
}

function linkOf(href: string, base: URL): Hyperlink | null {
  if (href === '' || href.startsWith('#') || href.length > URL_CHARS_MAX) return null
  const target = urlFrom(href, base)
  if (target === null || !/^https?:$/.test(target.protocol)) return null
  if (target.origin !== SOMEWHERE) return { type: 'url', url: target.href }
  const page = fromUrl(target.pathname)
  if (page !== null) return { type: 'page', path: page.path }
  return { type: 'url', url: target.pathname + target.search }
}

function urlFrom(href: string, base: URL): URL | null {
  try {
    return new URL(href, base)
  } catch {
    return null
  }
}

const FENCED = /^ {0,3}(`{3,8}|~{3,8})[^\n]*\n[\s\S]*?(?:^ {0,3}\1[^\n]*$|(?![\s\S]))/gm
/** The end of a line that does not end the paragraph: no empty one follows, nor an item, a heading or code. */
const BREAK = '\\n(?![ \\t]*(?:\\n|[-+*][ \\t]|\\d{1,9}[.)][ \\t]|#{1,6}[ \\t]|```|~~~))'
const CODE = new RegExp(`(?<!\`)(\`{1,8})(?!\`)(?:[^\`\\n]|${BREAK})+\\1`, 'g')
/** What stands in the brackets of a link. */
const WORDS = `(?:[^[\\]\\n]|${BREAK})*`
const ADDRESS = '[ \\t]*\\n?[ \\t]*<?([^()\\s<>]*(?:\\([^()\\s]*\\)[^()\\s<>]*)*)>?'
const INLINE = new RegExp(
  `(!?)\\[(?:${WORDS}!\\[${WORDS}\\]\\([^()\\n]*\\))?${WORDS}\\]\\(${ADDRESS}(?:\\s[^()\\n]*)?\\)`,
  'g',
)
const TARGET = /\]\([ \t]*\n?[ \t]*<?([^()\s<>]+(?:\([^()\s]*\)[^()\s<>]*)*)/g
const DEFINITION = /^ {0,3}\[[^[\]\n]+\]:[ \t]*<?([^\s<>]+)/gm
const AUTOMATIC = /<(https?:[^\s<>]+)>/gi
const ANCHOR = /<a(?:rea)?\s[^<>]*>/gi
const PICTURE = /<img\s[^<>]*>/gi
const HREF = /\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))/i
const SRC = /\ssrc\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))/i

/** What one of every kind of link has. */
const MARKS = ['<', '](', ']:']

function* hrefsIn({ format, source }: TextBlock): Generator<string> {
  if (format === 'plainishtext') return
  const text = source.slice(0, SOURCE_CHARS_MAX)
  if (!MARKS.some(mark => text.includes(mark))) return // most texts have no links, and each is looked at with every save
  const markup = withoutCode(format, text)
  if (format === 'markdown') {
    for (const [, image, href = ''] of markup.matchAll(INLINE)) if (image === '') yield href
    for (const [, href = ''] of markup.matchAll(DEFINITION)) yield href
    for (const [, href = ''] of markup.matchAll(AUTOMATIC)) yield href
  }
  for (const [tag] of markup.matchAll(ANCHOR)) yield valueIn(tag, HREF)
}

function* referencesIn({ format, source }: TextBlock): Generator<string> {
  if (format === 'plainishtext') return
  const markup = withoutCode(format, source.slice(0, SOURCE_CHARS_MAX))
  if (format === 'markdown') {
    for (const [, name = ''] of markup.matchAll(TARGET)) yield name
    for (const [, name = ''] of markup.matchAll(DEFINITION)) yield name
  }
  for (const [tag] of markup.matchAll(ANCHOR)) yield valueIn(tag, HREF)
  for (const [tag] of markup.matchAll(PICTURE)) yield valueIn(tag, SRC)
}

function withoutCode(format: TextBlock['format'], text: string): string {
  return format === 'markdown' ? text.replace(FENCED, '\n').replace(CODE, ' ') : text
}

function valueIn(tag: string, attribute: RegExp): string {
  const [, double, single, bare] = attribute.exec(tag) ?? []
  return (double ?? single ?? bare ?? '').replaceAll('&amp;', '&')
}
