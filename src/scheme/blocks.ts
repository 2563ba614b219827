import { type FeedNeed, feedNeed } from './feeds.ts'
import { escapeHtml } from './html.ts'
import { isJsonObject, textAt } from './json.ts'
import { markdownToHtml } from './markdown.ts'
import { type Ids, type Piece, refine, refineShort, type TextPlace } from './refine.ts'
import { sanitizeComment, sanitizeInline, sanitizePage } from './sanitize.ts'
import { COMMENT_WHITELIST, INLINE_WHITELIST, PAGE_WHITELIST } from './whitelist.ts'

/** Longest text shown as HTML, in characters, all blocks of a text together; the rest of a longer one is not shown. */
const TEXT_MAX = 1_000_000
const BLOCKS_MAX = 1_000
/** Sections within sections. */
const SECTIONS_DEEP_MAX = 8
/** Start tags in a text: the sanitiser's time grows with the square of those never closed (45 ms for 20,000, 76 s for 333,000). */
const TAGS_MAX = 40_000

interface Budget {
  characters: number
  blocks: number
}

interface Work {
  readonly place: TextPlace
  readonly ids: Ids
  readonly budget: Budget
}

/**
 * A text block of a document as pieces to show, in order; `[]` for none.
 *
 * It is always made from `source`. Stored slabs of rm3 0.x are used when there is no source, and sanitised like all else.
 *
 * @param name of the block in its document (`posting`, `sidebar`): listings in it get keys that begin with it
 */
export function renderBlock(block: unknown, name: string, place: TextPlace): readonly Piece[] {
  const budget = { characters: TEXT_MAX, blocks: BLOCKS_MAX }
  return blockPieces(block, name, 0, { place, ids: new Set(), budget })
}

/** The listings that a text block of the page at `path` needs, in the order they stand. */
export function feedsOfBlock(block: unknown, name: string, path: string): FeedNeed[] {
  const feeds: FeedNeed[] = []
  const look = (part: unknown, key: string, depth: number): void => {
    if (!isJsonObject(part) || depth > SECTIONS_DEEP_MAX) return
    if (part['format'] === 'indexfeed') feeds.push(feedNeed(part, path, key))
    if (part['format'] === 'section') {
      for (const [index, inner] of blocksOf(part).entries())
        look(inner, `${key}_${index}`, depth + 1)
    }
  }
  look(block, name, 0)
  return feeds
}

/** What a reader wrote, as safe markup. */
export function renderComment(source: string, linkQuery: string): string {
  return refineShort(sanitizeComment(bounded(source)), COMMENT_WHITELIST, linkQuery)
}

/** An abstract, as safe markup without blocks. */
export function renderShort(source: string, linkQuery: string): string {
  if (!/[<&]/.test(source)) return escapeHtml(source.slice(0, TEXT_MAX))
  return refineShort(sanitizeInline(bounded(source)), INLINE_WHITELIST, linkQuery)
}

function blockPieces(block: unknown, key: string, depth: number, work: Work): readonly Piece[] {
  if (typeof block === 'string') return textPieces(block, work)
  if (!isJsonObject(block) || depth > SECTIONS_DEEP_MAX || work.budget.blocks-- <= 0) return []
  switch (block['format']) {
    case 'markdown':
      return markupPieces(block, markdownToHtml, work)
    case 'html':
      return markupPieces(block, source => source, work)
    case 'plainishtext':
      return textPieces(textAt(block, 'source') || slabText(block), work)
    case 'indexfeed':
      return [{ type: 'feed', key }]
    case 'section':
      return blocksOf(block).flatMap((inner, index) =>
        blockPieces(inner, `${key}_${index}`, depth + 1, work),
      )
    default:
      return unknownPieces(block, work)
  }
}

function blocksOf(section: Readonly<Record<string, unknown>>): readonly unknown[] {
  const blocks = section['blocks']
  return Array.isArray(blocks) ? blocks.slice(0, BLOCKS_MAX) : []
}

function markupPieces(
  block: Readonly<Record<string, unknown>>,
  toHtml: (source: string) => string,
  work: Work,
): readonly Piece[] {
  const source = typeof block['source'] === 'string' ? block['source'] : null
  const markup = source === null ? slabMarkup(block) : toHtml(spend(source, work.budget))
  const bound = source === null ? spend(markup, work.budget) : markup
  if (isTangled(bound)) return verbatim(source ?? markup)
  return refine(sanitizePage(bound), PAGE_WHITELIST, work.place, work.ids)
}

/** Lines of text; a blank line begins a paragraph. */
function textPieces(text: string, work: Work): readonly Piece[] {
  const markup = spend(text, work.budget)
    .split(/\r?\n[ \t]*(?:\r?\n[ \t]*)+/)
    .filter(paragraph => paragraph.trim() !== '')
    .map(paragraph => `<p dir="auto">${escapeHtml(paragraph.trim()).replace(/\r?\n/g, '<br>')}</p>`)
    .join('\n')
  return markup === '' ? [] : [{ type: 'html', markup }]
}

function unknownPieces(block: Readonly<Record<string, unknown>>, work: Work): readonly Piece[] {
  const text = spend(textAt(block, 'source') || slabText(block), work.budget)
  if (text.trim() === '') return []
  const format = escapeHtml(textAt(block, 'format') || 'unnamed')
  const markup = `<p class="quiet">This part is written in a format this site does not know (${format}). Here is its text as it is:</p>`
  return [{ type: 'html', markup }, ...verbatim(text)]
}

function verbatim(text: string): readonly Piece[] {
  return [
    {
      type: 'html',
      markup: `<pre class="verbatim" tabindex="0" dir="auto">${escapeHtml(text)}</pre>`,
    },
  ]
}

function slabText(block: Readonly<Record<string, unknown>>): string {
  return slabMarkup(block).replace(/<[^>]*>/g, '')
}

/** Stored slabs as one markup: an image's placeholder becomes the image it was made from. */
function slabMarkup(block: Readonly<Record<string, unknown>>): string {
  const slabs = block['htmlslabs']
  if (!Array.isArray(slabs)) return ''
  return slabs
    .slice(0, BLOCKS_MAX)
    .map(slab => {
      if (typeof slab === 'string') return slab
      return isJsonObject(slab) && slab['name'] === 'siteImage' ? imageMarkup(slab) : ''
    })
    .join('')
}

function imageMarkup(slab: Readonly<Record<string, unknown>>): string {
  const attributes = ['src', 'alt', 'data-size', 'data-float', 'data-title', 'data-desc']
    .filter(name => textAt(slab, name) !== '')
    .map(name => ` ${name}="${escapeHtml(textAt(slab, name))}"`)
  return `<img${attributes.join('')}>`
}

function spend(text: string, budget: Budget): string {
  const shown = text.length > budget.characters ? text.slice(0, budget.characters) : text
  budget.characters -= shown.length
  return shown
}

function bounded(source: string): string {
  const shown = source.slice(0, TEXT_MAX)
  return isTangled(shown) ? escapeHtml(shown) : shown
}

/** Counts more than a parser would (`<` in comments and attributes too): what it lets through is bounded for certain. */
function isTangled(markup: string): boolean {
  if (markup.length < TAGS_MAX * 3) return false
  let tags = 0
  for (let at = markup.indexOf('<'); at !== -1; at = markup.indexOf('<', at + 1)) {
    const next = markup.charCodeAt(at + 1) | 0x20
    if (next >= 0x61 && next <= 0x7a && ++tags > TAGS_MAX) return true
  }
  return false
}
