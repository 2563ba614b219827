import sanitizeHtml from 'sanitize-html'
import {
  COMMENT_WHITELIST,
  DROPPED_WHOLE,
  INLINE_WHITELIST,
  PAGE_WHITELIST,
  type Whitelist,
} from './whitelist.ts'

/** Elements deeper than this lose their tags and keep their text. */
const NESTING_MAX = 60
const SCHEMES = ['http', 'https', 'mailto']

const PAGE_OPTIONS = options(PAGE_WHITELIST)
const COMMENT_OPTIONS = options(COMMENT_WHITELIST)
const INLINE_OPTIONS = options(INLINE_WHITELIST)

/** An author's HTML with only what `PAGE_WHITELIST` allows, in the normal form that `readTokens` reads. */
export function sanitizePage(markup: string): string {
  return sanitizeHtml(markup, PAGE_OPTIONS)
}

/** A reader's HTML with only what `COMMENT_WHITELIST` allows. */
export function sanitizeComment(markup: string): string {
  return sanitizeHtml(markup, COMMENT_OPTIONS)
}

/** A short text's HTML with only what `INLINE_WHITELIST` allows. */
export function sanitizeInline(markup: string): string {
  return sanitizeHtml(markup, INLINE_OPTIONS)
}

function options(whitelist: Whitelist): sanitizeHtml.IOptions {
  return {
    allowedTags: [...whitelist.keys()],
    allowedAttributes: Object.fromEntries(
      [...whitelist].map(([element, attributes]) => [element, [...attributes]]),
    ),
    allowedClasses: { code: ['language-*'] },
    allowedSchemes: SCHEMES,
    allowedSchemesByTag: { img: ['http', 'https'] },
    allowedSchemesAppliedToAttributes: ['href', 'src', 'cite'],
    allowProtocolRelative: false,
    disallowedTagsMode: 'discard',
    nonTextTags: [...DROPPED_WHOLE],
    nestingLimit: NESTING_MAX,
    parseStyleAttributes: false,
    transformTags: {
      a: withScheme('href'),
      img: withScheme('src'),
      td: withAlignment,
      th: withAlignment,
    },
  }
}

/** `//host/…` says https, as the pages of today do. */
function withScheme(attribute: string): sanitizeHtml.Transformer {
  return (tagName, attribs) => {
    const value = attribs[attribute]
    if (value?.startsWith('//')) attribs[attribute] = `https:${value}`
    return { tagName, attribs }
  }
}

/** How a cell's text stands is all that is kept of a style. */
function withAlignment(tagName: string, attribs: sanitizeHtml.Attributes): sanitizeHtml.Tag {
  const { style, align, 'data-align': _given, ...kept } = attribs
  const wanted = /text-align:\s*(right|center)\b/i.exec(style ?? '')?.[1] ?? align
  const known = wanted?.toLowerCase() === 'right' || wanted?.toLowerCase() === 'center'
  return { tagName, attribs: known ? { ...kept, 'data-align': wanted.toLowerCase() } : kept }
}
