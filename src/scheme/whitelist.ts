/** Attributes any allowed element may have. */
const COMMON = ['id', 'lang', 'dir', 'title']
const NONE: readonly string[] = []

/** Elements an author may use, each with the attributes it may have beside `id`, `lang`, `dir` and `title`. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  ...plain('p div span br hr h1 h2 h3 h4 h5 h6 header footer section article aside main hgroup'),
  ...plain('b strong i em u s small sub sup mark abbr cite dfn kbd samp var wbr bdi bdo'),
  ...plain('ul dl dt dd pre figure figcaption address details summary ruby rb rt rp'),
  ...plain('table caption thead tbody tfoot tr'),
  a: ['href', 'hreflang'],
  img: ['src', 'alt', 'width', 'height', 'data-size', 'data-float', 'data-title', 'data-desc'],
  ol: ['start', 'reversed', 'type'],
  li: ['value'],
  blockquote: ['cite'],
  q: ['cite'],
  ins: ['cite', 'datetime'],
  del: ['cite', 'datetime'],
  time: ['datetime'],
  code: ['class'],
  col: ['span'],
  colgroup: ['span'],
  td: ['colspan', 'rowspan', 'headers', 'data-align'],
  th: ['colspan', 'rowspan', 'headers', 'scope', 'abbr', 'data-align'],
}

/** Elements a reader's comment may use. */
const ALLOWED_IN_COMMENTS: Readonly<Record<string, readonly string[]>> = {
  ...plain('p br b strong i em s code pre ul ol li blockquote del ins sub sup'),
  a: ['href'],
}

/** Elements of a short text: an abstract or a caption. */
const ALLOWED_INLINE: Readonly<Record<string, readonly string[]>> = {
  ...plain('br b strong i em u s small sub sup mark abbr cite code kbd q bdi del ins'),
  a: ['href'],
}

/** Elements whose content goes with them: what is in them was never meant as text, or a browser reads it otherwise. */
export const DROPPED_WHOLE = [
  ...['script', 'style', 'textarea', 'option', 'select', 'noscript', 'noembed', 'noframes'],
  ...['xmp', 'plaintext', 'listing', 'template', 'iframe', 'frameset', 'object', 'embed', 'applet'],
  ...['svg', 'math', 'title', 'head', 'canvas', 'audio', 'video', 'portal', 'slot'],
]

/** Elements without content or end tag. */
export const VOID_ELEMENTS: ReadonlySet<string> = new Set(['br', 'hr', 'img', 'wbr', 'col'])

/** A whitelist: allowed attributes by allowed element. */
export type Whitelist = ReadonlyMap<string, ReadonlySet<string>>

/** For the texts of pages. */
export const PAGE_WHITELIST = whitelist(ALLOWED, COMMON)
/** For what readers write: no images, headings, ids. */
export const COMMENT_WHITELIST = whitelist(ALLOWED_IN_COMMENTS, ['lang', 'dir'])
/** For abstracts and captions: nothing that makes a block. */
export const INLINE_WHITELIST = whitelist(ALLOWED_INLINE, ['lang', 'dir'])

function plain(names: string): Record<string, readonly string[]> {
  return Object.fromEntries(names.split(' ').map(name => [name, NONE]))
}

function whitelist(
  elements: Readonly<Record<string, readonly string[]>>,
  common: readonly string[],
): Whitelist {
  return new Map(
    Object.entries(elements).map(([name, attributes]) => [
      name,
      new Set([...common, ...attributes]),
    ]),
  )
}
