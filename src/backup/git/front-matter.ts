import type { Json, JsonObject } from '../../codec/json.ts'

/** A text cut into its front matter and the rest. `block + body` is the text. */
export interface FrontMatter {
  /** From the first `---` to the line break behind the last; '' when there is none. */
  readonly block: string
  readonly body: string
  /** What could be read of it. */
  readonly fields: JsonObject
  /** Lines that could not, from 1; they are in `block` all the same. */
  readonly unread: readonly number[]
}

const BLOCK = /^\ufeff?(---|\+\+\+)[ \t]*\r?\n(?:[\s\S]*?\r?\n)??\1[ \t]*(?:\r?\n|$)/
/** More is no front matter, but a text between two lines. */
const BLOCK_CHARS_MAX = 65_536
const ENTRY = /^([A-Za-z_][\w .-]{0,99}?)[ \t]*:(?:[ \t]+(.*))?$/
const NUMBER = /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,15})?$/

/**
 * Cuts off and reads what many write before a Markdown text: `key: value` lines between `---`. Read are plain and quoted scalars, `[a, b]`,
 * JSON, lists of `- item`, texts after `|` and `>`, and one level of keys within keys: what pages carry, and not all of YAML. The rest is
 * kept as it is.
 */
export function readFrontMatter(text: string): FrontMatter {
  const found = text.startsWith('---') || text.startsWith('+++') || text.startsWith('\ufeff')
  const [block = '', fence] = (found && BLOCK.exec(text.slice(0, BLOCK_CHARS_MAX))) || []
  const body = text.slice(block.length)
  if (block === '') return { block, body, fields: {}, unread: [] }
  const lines = block.split(/\r?\n/)
  const inner = lines.slice(1, lines.at(-1) === '' ? -2 : -1)
  // between +++ stands TOML, which is kept and not read
  if (fence === '+++') return { block, body, fields: {}, unread: inner.map((_, at) => at + 2) }
  const reading: Reading = { lines: inner, at: 0, unread: [] }
  const fields = readEntries(reading, 0)
  return { block, body, fields, unread: reading.unread.map(line => line + 2) }
}

interface Reading {
  readonly lines: readonly string[]
  at: number
  readonly unread: number[]
}

/** Entries that are indented so far; ends at the first line that is less. */
function readEntries(reading: Reading, indent: number): JsonObject {
  const fields = new Map<string, Json>()
  for (; reading.at < reading.lines.length; ) {
    const line = reading.lines[reading.at] ?? ''
    if (isBlank(line)) {
      reading.at++
      continue
    }
    if (indentOf(line) < indent) break
    const [, key = '', value] = ENTRY.exec(line.slice(indent)) ?? []
    const isEntry = key !== '' && key !== '__proto__' && !fields.has(key)
    const at = reading.at++
    const read = isEntry ? readValue(reading, value?.trim() ?? '', indent) : undefined
    if (read === undefined) reading.unread.push(at)
    else fields.set(key, read)
  }
  return Object.fromEntries(fields)
}

/** @returns undefined for what is not understood */
function readValue(reading: Reading, text: string, indent: number): Json | undefined {
  if (/^[|>][+-]?$/.test(text)) return readBlockText(reading, text, indent)
  if (text !== '' && !text.startsWith('#')) return readScalar(text)
  const next = nextLine(reading)
  if (next === null) return null
  if (/^\s*- ?/.test(next) && indentOf(next) >= indent) return readItems(reading, indentOf(next))
  if (indentOf(next) > indent && indent === 0) return readEntries(reading, indentOf(next))
  return indentOf(next) > indent ? undefined : null
}

function readItems(reading: Reading, indent: number): Json[] | undefined {
  const items: Json[] = []
  for (;;) {
    const next = nextLine(reading)
    if (next === null || indentOf(next) !== indent || !/^- ?/.test(next.slice(indent))) return items
    const text = next.slice(indent + 1).trim()
    const item = text === '' || ENTRY.test(text) ? undefined : readScalar(text)
    if (item === undefined) return undefined
    items.push(item)
    reading.at++
  }
}

function readBlockText(reading: Reading, mark: string, indent: number): string {
  const lines: string[] = []
  let own = 0
  for (; reading.at < reading.lines.length; reading.at++) {
    const line = reading.lines[reading.at] ?? ''
    if (line.trim() !== '') {
      if (indentOf(line) <= indent) break
      own ||= indentOf(line)
    }
    lines.push(line.slice(own))
  }
  const text = lines.join('\n').trimEnd()
  return mark.startsWith('|') ? text : text.replace(/([^\n])\n(?=[^\n])/g, '$1 ')
}

function readScalar(text: string): Json | undefined {
  if (text.startsWith('[') || text.startsWith('{')) return readJson(text) ?? readFlow(text)
  if (text.startsWith('"')) {
    const quoted = /^"(?:[^"\\]|\\.)*"(?=\s*(?:#.*)?$)/.exec(text)?.[0]
    return quoted === undefined ? undefined : readJson(quoted)
  }
  if (text.startsWith("'")) {
    const quoted = /^'((?:[^']|'')*)'\s*(?:#.*)?$/.exec(text)?.[1]
    return quoted?.replaceAll("''", "'")
  }
  if (/^[&*!|>%@`]/.test(text)) return undefined
  return plainScalar(text.replace(/\s+#.*$/, ''))
}

/** A number stays text where it would not come back as it was written: 1.10, 007, 2^53 + 1. */
function plainScalar(text: string): Json {
  if (/^(?:true|True|TRUE)$/.test(text)) return true
  if (/^(?:false|False|FALSE)$/.test(text)) return false
  if (/^(?:null|Null|NULL|~)$/.test(text)) return null
  if (NUMBER.test(text) && String(Number(text)) === text) return Number(text)
  return text
}

function readFlow(text: string): Json[] | undefined {
  const inner = /^\[(.*)\]\s*(?:#.*)?$/.exec(text)?.[1]?.trim()
  if (inner === undefined) return undefined
  if (inner === '') return []
  const parts = inner.match(
    /\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,'"[\]{}][^,[\]{}]*)\s*(?:,|$)/g,
  )
  if (parts?.join('') !== inner) return undefined
  const items = parts.map(part => readScalar(part.replace(/,$/, '').trim()))
  return items.every(item => item !== undefined) ? (items as Json[]) : undefined
}

function readJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function nextLine(reading: Reading): string | null {
  while (reading.at < reading.lines.length && isBlank(reading.lines[reading.at] ?? '')) reading.at++
  return reading.lines[reading.at] ?? null
}

function isBlank(line: string): boolean {
  return /^\s*(?:#.*)?$/.test(line)
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}
