import { plainText, type Token } from './tokens.ts'

/** What a heading needs to know of its place. */
export interface HeadingPlace {
  readonly title: string
  readonly idPrefix: string
}

interface Heading {
  /** Index of the start tag and of the end tag. */
  readonly from: number
  readonly until: number
  readonly level: number
  readonly text: string
}

const HEADING = /^h[1-6]$/
const SLUG_LENGTH_MAX = 60
const LEVEL_MIN = 2
const LEVEL_MAX = 6

/**
 * Headings brought below the page's title (the only `h1`), without a level left out, each with an id and a link to
 * itself; a first heading that repeats the title is left out.
 *
 * @param ids taken so far in this text; added to
 */
export function levelHeadings(
  tokens: readonly Token[],
  place: HeadingPlace,
  ids: Set<string>,
): Token[] {
  const headings = findHeadings(tokens)
  const first = headings[0]
  const repeats =
    first !== undefined && isFirst(tokens, first.from) && first.text === place.title.trim()
  const kept = repeats ? headings.slice(1) : headings
  const result: Token[] = [...tokens]
  const levels = outline(kept.map(heading => heading.level))
  kept.forEach((heading, index) => {
    const open = result[heading.from] as Token & { type: 'open' }
    const name = `h${levels[index]}`
    const id = anchorOf(heading, open.attributes.get('id'), place.idPrefix, ids)
    result[heading.from] = {
      type: 'open',
      name,
      attributes: new Map([...open.attributes, ['id', id]]),
    }
    result[heading.until] = { type: 'text', text: `${linkTo(id)}</${name}>` }
  })
  return repeats && first ? result.filter((_, at) => at < first.from || at > first.until) : result
}

function linkTo(id: string): string {
  return ` <a class="anchor" href="#${id}" aria-label="Link to this section">#</a>`
}

function findHeadings(tokens: readonly Token[]): Heading[] {
  const headings: Heading[] = []
  let open: { readonly from: number; readonly name: string } | null = null
  let text = ''
  for (const [at, token] of tokens.entries()) {
    if (token.type === 'text') text += token.text
    else if (open === null && token.type === 'open' && HEADING.test(token.name)) {
      open = { from: at, name: token.name }
      text = ''
    } else if (open !== null && token.type === 'close' && token.name === open.name) {
      const level = Number(open.name[1])
      headings.push({ from: open.from, until: at, level, text: plainText(text).trim() })
      open = null
    }
  }
  return headings
}

function isFirst(tokens: readonly Token[], at: number): boolean {
  return tokens.slice(0, at).every(token => token.type === 'text' && token.text.trim() === '')
}

/** Levels from 2 on that rise by at most one, nested as the author nested them. */
function outline(levels: readonly number[]): number[] {
  const above: number[] = []
  return levels.map(level => {
    while (above.length > 0 && (above.at(-1) ?? 0) >= level) above.pop()
    above.push(level)
    return Math.min(LEVEL_MIN + above.length - 1, LEVEL_MAX)
  })
}

function anchorOf(
  heading: Heading,
  given: string | undefined,
  prefix: string,
  ids: Set<string>,
): string {
  const wanted = given !== undefined && /^[^\s"&<>]+$/.test(given) ? given : slug(heading.text)
  let id = `${prefix}${wanted}`
  for (let count = 2; ids.has(id); count++) id = `${prefix}${wanted}-${count}`
  ids.add(id)
  return id
}

function slug(text: string): string {
  const words = text
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
  return words.slice(0, SLUG_LENGTH_MAX).replace(/-+$/, '') || 'section'
}
