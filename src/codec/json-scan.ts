import { endOfString, keepsNumber } from './json-tokens.ts'
import { pointerOf } from './pointer.ts'

/** How much is accepted: levels of nesting (a scalar has 0), and values in all, keys not counted. */
export interface JsonLimits {
  readonly depthMax: number
  readonly itemsMax: number
}

/** What is wrong with a JSON text and where. `line` and `column` from 1, in UTF-16 units. */
export interface JsonFault {
  readonly what: string
  readonly pointer: string
  readonly line: number
  readonly column: number
}

interface Scan {
  readonly text: string
  readonly limits: JsonLimits
  readonly tokens: (string | number)[]
  at: number
  items: number
}

const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y

/** Thrown inside this module only. */
class Stop extends Error {}

/**
 * The first thing in `text` that `parseJson` refuses, or null.
 *
 * Slow and careful: it runs only when the quick way has found that something is wrong, to say what and where.
 */
export function scanJson(text: string, limits: JsonLimits): JsonFault | null {
  const scan: Scan = { text, limits, tokens: [], at: 0, items: 0 }
  try {
    if (text.startsWith('\ufeff')) stop('a byte order mark')
    scanValue(scan)
    skip(scan, SPACE)
    if (scan.at < text.length) stop('text after the end of the value')
    return null
  } catch (thrown) {
    if (!(thrown instanceof Stop)) throw thrown
    const lineStart = text.lastIndexOf('\n', scan.at - 1) + 1
    const line = text.slice(0, lineStart).split('\n').length
    const pointer = pointerOf(scan.tokens)
    return { what: thrown.message, pointer, line, column: scan.at - lineStart + 1 }
  }
}

function scanValue(scan: Scan): void {
  skip(scan, SPACE)
  if (++scan.items > scan.limits.itemsMax) stop(`more than ${scan.limits.itemsMax} values`)
  const first = scan.text[scan.at]
  if (first === '{') scanObject(scan)
  else if (first === '[') scanArray(scan)
  else if (first === '"') scanString(scan)
  else if (first === undefined) stop('the text ends too early')
  else if (skip(scan, WORD) === '') scanNumber(scan)
}

function scanObject(scan: Scan): void {
  const seen = new Set<string>()
  enter(scan)
  if (closes(scan, '}')) return
  do {
    skip(scan, SPACE)
    const keyAt = scan.at
    if (scan.text[keyAt] !== '"') stop('a key in double quotes was expected')
    const key = scanString(scan)
    const keyFault = key === '__proto__' ? 'the key __proto__ is not allowed' : null
    const fault = seen.has(key)
      ? `the key ${JSON.stringify(key)} stands twice in one object`
      : keyFault
    scan.tokens.push(key)
    if (fault !== null) stopAt(scan, keyAt, fault)
    seen.add(key)
    skip(scan, SPACE)
    if (scan.text[scan.at] !== ':') stop('a colon was expected')
    scan.at++
    scanValue(scan)
    scan.tokens.pop()
  } while (continues(scan, '}'))
}

function scanArray(scan: Scan): void {
  enter(scan)
  if (closes(scan, ']')) return
  let index = 0
  do {
    scan.tokens.push(index++)
    scanValue(scan)
    scan.tokens.pop()
  } while (continues(scan, ']'))
}

/** Past the opening bracket. The members on the way here are the depth. */
function enter(scan: Scan): void {
  if (scan.tokens.length >= scan.limits.depthMax) stop(`nested deeper than ${scan.limits.depthMax}`)
  scan.at++
}

function closes(scan: Scan, bracket: string): boolean {
  skip(scan, SPACE)
  if (scan.text[scan.at] !== bracket) return false
  scan.at++
  return true
}

function continues(scan: Scan, bracket: string): boolean {
  if (closes(scan, bracket)) return false
  if (scan.at >= scan.text.length) stop('the text ends too early')
  if (scan.text[scan.at] !== ',') stop(`a comma or ${bracket} was expected`)
  scan.at++
  return true
}

function scanString(scan: Scan): string {
  const start = scan.at
  const quote = endOfString(scan.text, start + 1)
  if (quote < 0) stop('a string is not closed')
  const value = parsed(scan.text.slice(start, quote + 1))
  scan.at = quote + 1
  if (value === null)
    return stopAt(scan, start, 'a string holds a bare control character or a bad escape')
  if (value.includes('\0')) stopAt(scan, start, 'text holds a NUL character')
  if (/\p{Surrogate}/u.test(value)) stopAt(scan, start, 'text holds half a surrogate pair')
  return value
}

function parsed(literal: string): string | null {
  try {
    return JSON.parse(literal) as string
  } catch {
    return null
  }
}

function scanNumber(scan: Scan): void {
  const start = scan.at
  const literal = skip(scan, NUMBER)
  if (literal === '') stop('a value was expected')
  if (keepsNumber(literal)) return
  stopAt(scan, start, `the number ${literal.slice(0, 40)} cannot be kept exactly`)
}

/** The text that `pattern` (sticky) matches here, stepped over; '' when none. */
function skip(scan: Scan, pattern: RegExp): string {
  pattern.lastIndex = scan.at
  const matched = pattern.exec(scan.text)?.[0] ?? ''
  scan.at += matched.length
  return matched
}

function stopAt(scan: Scan, at: number, what: string): never {
  scan.at = at
  return stop(what)
}

function stop(what: string): never {
  throw new Stop(what)
}
