import { type FileLinks, followFileLink } from '../content/file-links.ts'
import { levelHeadings } from './headings.ts'
import { escapeHtml } from './html.ts'
import { type ImageReference, imageOf, type Picture } from './images.ts'
import { pathOfUrl, resolveOnSite, withQuery } from './site-urls.ts'
import { plainText, readTokens, type Token, writeTag, writeTokens } from './tokens.ts'
import type { Whitelist } from './whitelist.ts'

/** Where a text stands; it decides what its links, anchors and headings become. */
export interface TextPlace {
  /** Site-relative URL of the page, against which relative links are read. */
  readonly pageUrl: string
  /** The page's title: a first heading that only says it again is left out. */
  readonly title: string
  /** Added to every link that stays on the site, such as `at=position%3A12`; empty for the present. */
  readonly linkQuery: string
  /** Before every id and every link to one, so that no author's id meets one of ours. */
  readonly idPrefix: string
  /** Where links to files of the repository lead that the page is from. */
  readonly fileLinks?: FileLinks
}

/** A part of a rendered text: markup that is safe to send, or an image or listing that is filled in for each view. */
export type Piece =
  | { readonly type: 'html'; readonly markup: string }
  | { readonly type: 'image'; readonly image: ImageReference }
  | { readonly type: 'feed'; readonly key: string }

/** Ids given out so far in one text. */
export type Ids = Set<string>

const HEADING = /^h[1-6]$/
const SPEAKS_BY_PARAGRAPH = new Set([
  ...['p', 'h2', 'h3', 'h4', 'h5', 'h6', 'li', 'ul', 'ol', 'dl', 'dt', 'dd'],
  ...['blockquote', 'table', 'figcaption', 'summary', 'caption'],
])

/** Sanitised markup as pieces: headings below the title and anchored, ids prefixed, links kept in place, images found. */
export function refine(
  markup: string,
  whitelist: Whitelist,
  place: TextPlace,
  ids: Ids,
): readonly Piece[] {
  const tokens = levelHeadings(readTokens(markup, whitelist), place, ids)
  const writer = new PieceWriter()
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token
    const block = isLoneImage(tokens, at)
    if (block) {
      writeImage(writer, tokens[at + 1], place, 'block')
      at += 2
    } else if (token.type === 'open') openElement(writer, token, place, ids)
    else if (token.type === 'close') closeElement(writer, token.name)
    else writer.write(token.text)
  }
  return writer.pieces()
}

/** Sanitised short markup: links get what they need, nothing else is touched. */
export function refineShort(markup: string, whitelist: Whitelist, linkQuery: string): string {
  const tokens = readTokens(markup, whitelist)
  for (const token of tokens) {
    if (token.type === 'open' && token.name === 'a') {
      refineLink(token.attributes, { pageUrl: '/', title: '', linkQuery, idPrefix: '' })
    }
  }
  return writeTokens(tokens)
}

class PieceWriter {
  readonly #pieces: Piece[] = []
  #markup = ''

  write(markup: string): void {
    this.#markup += markup
  }

  push(piece: Piece): void {
    if (this.#markup !== '') this.#pieces.push({ type: 'html', markup: this.#markup })
    this.#markup = ''
    this.#pieces.push(piece)
  }

  pieces(): readonly Piece[] {
    if (this.#markup !== '') this.#pieces.push({ type: 'html', markup: this.#markup })
    this.#markup = ''
    return this.#pieces
  }
}

/** `<p><img></p>` and nothing else: the image may stand as a figure of its own. */
function isLoneImage(tokens: readonly Token[], at: number): boolean {
  const [open, image, close] = [tokens[at], tokens[at + 1], tokens[at + 2]]
  return (
    open?.type === 'open' &&
    open.name === 'p' &&
    image?.type === 'open' &&
    image.name === 'img' &&
    close?.type === 'close' &&
    close.name === 'p'
  )
}

function openElement(
  writer: PieceWriter,
  token: Token & { readonly type: 'open' },
  place: TextPlace,
  ids: Ids,
): void {
  const { name, attributes } = token
  if (name === 'img') {
    writeImage(writer, token, place, 'inline')
    return
  }
  prefixId(name, attributes, place.idPrefix, ids)
  if (name === 'a') refineLink(attributes, place)
  if (SPEAKS_BY_PARAGRAPH.has(name) && !attributes.has('dir')) attributes.set('dir', 'auto')
  // what may be wider than a phone scrolls by itself and can be reached by keyboard
  if (name === 'table') writer.write('<div class="wide" tabindex="0">')
  if (name === 'pre') attributes.set('tabindex', '0')
  writer.write(writeTag(name, attributes))
}

function closeElement(writer: PieceWriter, name: string): void {
  writer.write(name === 'table' ? '</table></div>' : `</${name}>`)
}

/** Headings have theirs already. */
function prefixId(name: string, attributes: Map<string, string>, prefix: string, ids: Ids): void {
  const id = attributes.get('id')
  if (id === undefined || HEADING.test(name)) return
  const prefixed = `${prefix}${id}`
  if (id === '' || /\s/.test(id) || ids.has(prefixed)) attributes.delete('id')
  else attributes.set('id', prefixed)
  ids.add(prefixed)
}

function refineLink(attributes: Map<string, string>, place: TextPlace): void {
  const written = attributes.get('href')
  if (written === undefined) return
  const own = plainText(written).trim()
  if (own.startsWith('#')) {
    attributes.set('href', `#${escapeHtml(place.idPrefix + own.slice(1))}`)
    return
  }
  const href = followed(own, place)
  if (href !== own) attributes.set('href', escapeHtml(href))
  const target = resolveOnSite(href, place.pageUrl)
  if (target === null) attributes.set('rel', 'noopener nofollow ugc')
  else if (place.linkQuery !== '' && pathOfUrl(href, place.pageUrl) !== null) {
    attributes.set('href', escapeHtml(withQuery(href, place.linkQuery)))
  }
}

/** What is written before ids of a page's main text. */
export const POSTING_IDS = 'c-'

/** An address as it leads on the site. A link to a file names a place in its text as the file does. */
function followed(href: string, { fileLinks = {} }: TextPlace): string {
  const url = followFileLink(fileLinks, href)
  return url === href || url.includes('/$') ? url : url.replace('#', `#${POSTING_IDS}`)
}

function writeImage(
  writer: PieceWriter,
  token: Token | undefined,
  place: TextPlace,
  setting: 'block' | 'inline',
): void {
  if (token?.type !== 'open') return
  const src = plainText(token.attributes.get('src') ?? '').trim()
  const url = followed(src, place)
  const attributes = new Map(token.attributes)
  if (url !== src) attributes.set('src', escapeHtml(withQuery(url, place.linkQuery)))
  const picture: Picture = imageOf(attributes, place.pageUrl, setting)
  if (picture.type === 'html') writer.write(picture.markup)
  else writer.push(picture)
}
