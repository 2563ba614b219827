import { VOID_ELEMENTS, type Whitelist } from './whitelist.ts'

/** A piece of sanitised markup. `text` and the values of `attributes` are as written: with entities, without `<`, `>`, `"`. */
export type Token =
  | { readonly type: 'open'; name: string; readonly attributes: Map<string, string> }
  | { readonly type: 'close'; name: string }
  | { readonly type: 'text'; readonly text: string }

const TOKEN = /<(\/?)([a-z][a-z0-9]*)((?: [a-z-]+(?:="[^"<>]*")?)*) ?\/?>|[^<]+|</g
const HEADING = /^h[1-6]$/
const ATTRIBUTE = / ([a-z-]+)(?:="([^"<>]*)")?/g

/**
 * The tokens of markup that the sanitiser wrote, balanced: every element that opens closes, in order.
 *
 * It is a second, independent whitelist: whatever is not in the exact form the sanitiser writes becomes text, an
 * element or attribute that is not listed is left out.
 */
export function readTokens(markup: string, whitelist: Whitelist): Token[] {
  const tokens: Token[] = []
  const open: string[] = []
  for (const match of markup.matchAll(TOKEN)) {
    const name = match[2]
    if (name === undefined) tokens.push({ type: 'text', text: textOf(match[0]) })
    else if (match[1] === '/') closeElement(tokens, open, name)
    else openElement(tokens, open, { name, written: match[3] ?? '', whitelist })
  }
  for (const name of open.reverse()) tokens.push({ type: 'close', name })
  return tokens
}

/** The markup of `tokens`. */
export function writeTokens(tokens: readonly Token[]): string {
  let markup = ''
  for (const token of tokens) {
    if (token.type === 'text') markup += token.text
    else if (token.type === 'close') markup += `</${token.name}>`
    else markup += writeTag(token.name, token.attributes)
  }
  return markup
}

/** The text of an attribute or text token, its entities resolved (those that the sanitiser writes). */
export function plainText(written: string): string {
  if (!written.includes('&')) return written
  return written
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

/** A start tag; the values of `attributes` are escaped already. */
export function writeTag(name: string, attributes: ReadonlyMap<string, string>): string {
  let markup = `<${name}`
  for (const [key, value] of attributes) markup += ` ${key}="${value}"`
  return `${markup}>`
}

function textOf(text: string): string {
  return text === '<' ? '&lt;' : text.includes('>') ? text.replaceAll('>', '&gt;') : text
}

function closeElement(tokens: Token[], open: string[], name: string): void {
  const depth = open.lastIndexOf(name)
  if (depth === -1) return
  for (const inner of open.splice(depth).reverse()) tokens.push({ type: 'close', name: inner })
}

function openElement(
  tokens: Token[],
  open: string[],
  tag: { readonly name: string; readonly written: string; readonly whitelist: Whitelist },
): void {
  const allowed = tag.whitelist.get(tag.name)
  if (!allowed || (HEADING.test(tag.name) && open.some(name => HEADING.test(name)))) return
  const attributes = new Map<string, string>()
  for (const [, key = '', value = ''] of tag.written.matchAll(ATTRIBUTE)) {
    if (allowed.has(key)) attributes.set(key, value)
  }
  tokens.push({ type: 'open', name: tag.name, attributes })
  if (!VOID_ELEMENTS.has(tag.name)) open.push(tag.name)
}
