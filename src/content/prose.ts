import type { Document, Json } from './document.ts'
import { type TextBlock, textBlocksOf } from './text-blocks.ts'

/** The words of a document, without markup; whitespace is single spaces. */
export interface Prose {
  readonly title: string
  readonly abstract: string
  readonly body: string
}

/** Characters kept of each; a tsvector of more might be larger than PostgreSQL takes. */
const TITLE_CHARS_MAX = 1_000
const ABSTRACT_CHARS_MAX = 10_000
export const BODY_CHARS_MAX = 100_000

/**
 * The words of a document for a search and for excerpts. Markup is taken out by what it looks like: nothing here is safe to be
 * shown as HTML without escaping.
 */
export function proseOf(document: Document): Prose {
  const { title, abstract } = document.summary
  let body = ''
  for (const block of textBlocksOf(document)) {
    if (body.length >= BODY_CHARS_MAX) break
    body += ` ${wordsOf(block)}`
  }
  return {
    title: plain(textOf(title), TITLE_CHARS_MAX),
    abstract: plain(withoutTags(textOf(abstract)), ABSTRACT_CHARS_MAX),
    body: plain(body, BODY_CHARS_MAX),
  }
}

/** The words of one text of a document. */
export function proseOfBlock(block: TextBlock): string {
  return plain(wordsOf(block), BODY_CHARS_MAX)
}

/** More of a source than this is not looked at: markup may be a multiple of its words. */
const SOURCE_CHARS_MAX = 4 * BODY_CHARS_MAX

function wordsOf({ format, source }: TextBlock): string {
  const text = source.slice(0, SOURCE_CHARS_MAX)
  if (format === 'plainishtext') return text
  return withoutTags(format === 'markdown' ? withoutMarks(text) : text)
}

const FENCE = /^ {0,3}(?:```|~~~).*$/gm
const DEFINITION = /^ {0,3}\[[^[\]\n]+\]:[ \t]*\S.*$/gm
const INLINE_LINK = /!?\[([^[\]\n]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s[^()\n]*)?\)/g
const REFERENCE_LINK = /!?\[([^[\]\n]*)\]\[[^[\]\n]*\]/g
const LINE_MARK = /^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-+*][ \t]+|[|:-]+$)/gm
const EMPHASIS = /\*+|`+|~~/g

/**
 * What Markdown adds to words. Each pattern is linear: it stops at what it would begin with again. Most texts have few of them, and are
 * looked at with every save: what a pattern cannot do without is looked for first.
 */
function withoutMarks(source: string): string {
  let text = source
  if (text.includes('```') || text.includes('~~~')) text = text.replace(FENCE, ' ')
  if (text.includes(']:')) text = text.replace(DEFINITION, ' ')
  if (text.includes('](')) text = text.replace(INLINE_LINK, '$1')
  if (text.includes('][')) text = text.replace(REFERENCE_LINK, '$1')
  return text.replace(LINE_MARK, '').replace(EMPHASIS, '')
}

/** Elements within a word do not part it. */
const WITHIN_WORDS =
  /^<\/?(?:a|abbr|b|bdi|bdo|cite|code|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|sup|u|var|wbr)\b/i
const UNSEEN = /^<(script|style|template)\b/i
const TAG = /^<[a-z/!?]/i

function withoutTags(markup: string): string {
  let text = ''
  let at = 0
  for (;;) {
    const open = markup.indexOf('<', at)
    if (open < 0) return withoutEntities(text + markup.slice(at))
    text += markup.slice(at, open)
    const head = markup.slice(open, open + 12)
    const end = TAG.test(head) ? endOfTag(markup, open, head) : open
    if (end < 0) return withoutEntities(text)
    text += end === open ? '<' : WITHIN_WORDS.test(head) ? '' : ' '
    at = end + 1
  }
}

/** Index of the last character of a tag, a comment or an element that nobody sees; -1 when it does not end. */
function endOfTag(markup: string, open: number, head: string): number {
  if (head.startsWith('<!--')) {
    const end = markup.indexOf('-->', open + 4)
    return end < 0 ? -1 : end + 2
  }
  const [, unseen] = UNSEEN.exec(head) ?? []
  const close =
    unseen === undefined ? open : markup.toLowerCase().indexOf(`</${unseen.toLowerCase()}`, open)
  return close < 0 ? -1 : markup.indexOf('>', close)
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', shy: '', ndash: '–' },
  ...{ mdash: '—', hellip: '…', auml: 'ä', ouml: 'ö', uuml: 'ü', szlig: 'ß' },
  ...{ Auml: 'Ä', Ouml: 'Ö', Uuml: 'Ü', eacute: 'é', egrave: 'è', copy: '©' },
}
const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi
const CODE_POINT_MAX = 0x10ffff

function withoutEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(ENTITY, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return Object.hasOwn(ENTITIES, name) ? (ENTITIES[name] ?? whole) : whole
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
    const isCharacter = code <= CODE_POINT_MAX && (code < 0xd800 || code > 0xdfff)
    return isCharacter ? String.fromCodePoint(code) : ' '
  })
}

/** Whitespace and control characters, other than one space by itself: of those there is one for each word. */
const SPACES = / [\s\p{Cc}]+|(?! )[\s\p{Cc}]+/gu
/** Whether there is any but at the ends: that is told in half the time. */
const ODD_SPACE = / {2}|[^\S ]|\p{Cc}/u

/** Without line breaks and control characters, cut at a whole character. */
function plain(text: string, charsMax: number): string {
  const trimmed = text.trim()
  const spaced = ODD_SPACE.test(trimmed) ? text.replace(SPACES, ' ').trim() : trimmed
  return spaced.length <= charsMax
    ? spaced
    : spaced.slice(0, charsMax).replace(/[\ud800-\udbff]$/, '')
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
