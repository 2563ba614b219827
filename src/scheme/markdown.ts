import MarkdownIt from 'markdown-it'
import attributes from 'markdown-it-attrs'
// @ts-expect-error the package brings no types
import definitionLists from 'markdown-it-deflist'

/** Blocks deeper than this are not looked into. */
const NESTING_MAX = 40

/** The time markdown-it-attrs takes grows with the square of the braces in a block: 17 s for 8,000, 0.4 ms for 60. */
const BRACES_PER_BLOCK_MAX = 60

/** `{…}` may set these; the sanitiser has the last word. */
const ATTRIBUTES = ['id', 'lang', 'dir', 'title', 'start', 'width', 'height', /^data-/]

const withoutAttributes = new MarkdownIt({
  html: true,
  linkify: false,
  typographer: false,
  maxNesting: NESTING_MAX,
}).use(definitionLists)

const withAttributes = new MarkdownIt({
  html: true,
  linkify: false,
  typographer: false,
  maxNesting: NESTING_MAX,
})
  .use(definitionLists)
  .use(attributes, { allowedAttributes: ATTRIBUTES })

/**
 * CommonMark with tables, strike-through, definition lists and `{attributes}` as HTML that is NOT safe yet.
 *
 * A text with a block of more braces than anyone writes is read without attributes.
 */
export function markdownToHtml(source: string): string {
  return (hasTooManyBraces(source) ? withoutAttributes : withAttributes).render(source)
}

function hasTooManyBraces(source: string): boolean {
  let braces = 0
  let lineIsBlank = true
  for (let at = 0; at < source.length; at++) {
    const char = source.charCodeAt(at)
    if (char === 0x7b && ++braces > BRACES_PER_BLOCK_MAX) return true
    if (char === 0x0a) {
      if (lineIsBlank) braces = 0
      lineIsBlank = true
    } else if (char !== 0x20 && char !== 0x0d && char !== 0x09) {
      lineIsBlank = false
    }
  }
  return false
}
