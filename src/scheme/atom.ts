import { escapeHtml } from './html.ts'

/** A page in a feed; texts are as stored, instants RFC 3339. */
export interface AtomEntry {
  /** An IRI. */
  readonly id: string
  readonly title: string
  /** HTML or text as stored, sanitised already. */
  readonly abstract: string
  /** Site-relative. */
  readonly url: string
  readonly published: string
  readonly modified: string
  readonly author: string | null
}

export interface AtomFeed {
  readonly title: string
  /** `https://host` without a slash; '' makes links relative to where the feed is. */
  readonly origin: string
  /** Site-relative URL of the feed itself. */
  readonly url: string
  readonly entries: readonly AtomEntry[]
}

/** When an empty feed was changed last: it must say something. */
const NEVER = '1970-01-01T00:00:00Z'

/** A feed as Atom (RFC 4287). */
export function atomOf({ title, origin, url, entries }: AtomFeed): string {
  const updated =
    entries
      .map(({ modified }) => modified)
      .sort()
      .at(-1) ?? NEVER
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<feed xmlns="http://www.w3.org/2005/Atom">',
    element('title', title),
    element('id', `${origin || 'urn:rm3:site'}${url}`),
    element('updated', updated),
    `<link rel="self" href="${escapeHtml(origin + url)}"/>`,
    `<link href="${escapeHtml(`${origin}/`)}"/>`,
    ...entries.map(entry => entryOf(entry, origin)),
    '</feed>',
    '',
  ].join('\n')
}

function entryOf(entry: AtomEntry, origin: string): string {
  const { id, title, abstract, url, published, modified, author } = entry
  return [
    '<entry>',
    element('title', title),
    element('id', id),
    `<link href="${escapeHtml(origin + url)}"/>`,
    element('published', published),
    element('updated', modified),
    `<author>${element('name', author ?? 'unknown')}</author>`,
    abstract === '' ? '' : `<summary type="html">${xmlText(abstract)}</summary>`,
    '</entry>',
  ]
    .filter(line => line !== '')
    .join('\n')
}

function element(name: string, text: string): string {
  return `<${name}>${xmlText(text)}</${name}>`
}

/** Characters that XML 1.0 cannot have, not even escaped. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is left out
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

function xmlText(text: string): string {
  return escapeHtml(text.replace(NOT_XML, ''))
}
