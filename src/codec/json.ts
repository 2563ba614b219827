import { hash } from 'node:crypto'
import { Rm3Error } from '../errors.ts'
import { type JsonFault, type JsonLimits, scanJson } from './json-scan.ts'
import { membersIn, valuesIn } from './json-tokens.ts'
import { pointerOf } from './pointer.ts'

/** Anything JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }
export type { JsonLimits }

/** What a request may carry. A file of a whole history needs more items. */
export const JSON_LIMITS: JsonLimits = { depthMax: 64, itemsMax: 250_000 }

interface Tally {
  readonly limits: JsonLimits
  items: number
  members: number
}
/** What is wrong, and the way to it, innermost token first. */
interface Fault {
  readonly what: string
  readonly tokens: (string | number)[]
}

/**
 * `value` as JSON, untouched, when rm3 keeps every bit of it.
 *
 * Refused: what JSON cannot say (undefined, functions, dates, NaN, holes, cycles), `-0` (JSON writers drop the sign),
 * NUL and lone surrogates (PostgreSQL takes neither), the key `__proto__` (an assignment of it changes what an object
 * inherits), and more than `limits`. The keys `constructor` and `prototype` are legal: they do harm only as steps of
 * a path, where `checkPatch` refuses them, and everything here looks at own properties alone.
 *
 * @param where what the value is, for the message: 'the body', a file's name
 * @throws JSON_INVALID with `pointer`, RFC 6901
 */
export function checkJson(value: unknown, where: string, limits = JSON_LIMITS): Json {
  const fault = faultIn(value, 0, { limits, items: 0, members: 0 })
  if (fault === null) return value as Json
  throw invalid(where, { what: fault.what, pointer: pointerOf(fault.tokens.reverse()) })
}

/**
 * The value of a JSON text (RFC 8259), strictly: all that `checkJson` refuses, and also malformed UTF-8, a byte order
 * mark, a key twice in one object, a number that would read back as another one (2^53 + 1, 1e999, 1e-999, -0).
 *
 * @param source text, or bytes in UTF-8
 * @throws JSON_INVALID with `pointer`, `line` and `column` (from 1, in UTF-16 units)
 */
export function parseJson(source: string | Uint8Array, where: string, limits = JSON_LIMITS): Json {
  const text = typeof source === 'string' ? source : decodeUtf8(source, where)
  const tally: Tally = { limits, items: 0, members: 0 }
  // a text of many small values takes many times its length once it is read
  if (text.length > limits.itemsMax && valuesIn(text) > 2 * limits.itemsMax + 1) {
    throw invalid(where, { what: `more than ${limits.itemsMax} values` })
  }
  try {
    const value: unknown = JSON.parse(text)
    if (faultIn(value, 0, tally) === null && membersIn(text) === tally.members) return value as Json
  } catch {
    // the scan below says what is wrong and where
  }
  throw invalid(where, scanJson(text, limits) ?? { what: 'something is wrong' })
}

/** The message of an error about the JSON called `where`. */
function invalid(where: string, fault: Partial<JsonFault> & { what: string }): Rm3Error {
  const { what, ...place } = fault
  const at = place.line === undefined ? '' : ` (line ${place.line}, column ${place.column})`
  const pointer = place.pointer ? ` at ${place.pointer}` : ''
  return new Rm3Error('JSON_INVALID', `${where}: ${what}${pointer}${at}.`, { where, ...place })
}

/**
 * `value` as one text that is the same for equal values: keys sorted by code point, no spaces, nothing escaped that
 * need not be. Equal to Python's `json.dumps(value, sort_keys=True, separators=(',', ':'), ensure_ascii=False)` of the
 * same JSON, but that a number which is whole is written as a whole one (Python keeps 1.0 apart from 1).
 */
export function canonicalJson(value: Json): string {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'number':
      return canonicalNumber(value)
    case 'boolean':
      return value ? 'true' : 'false'
    default:
      if (value === null) return 'null'
      return Array.isArray(value) ? canonicalArray(value) : canonicalObject(value)
  }
}

/** First 16 bytes of the SHA-256 of the canonical JSON, in base64url: 22 characters. */
export function hashDocument(document: Json | object): string {
  return hash('sha256', canonicalJson(document as Json), 'buffer').toString('base64url', 0, 16)
}

function faultIn(value: unknown, depth: number, tally: Tally): Fault | null {
  if (++tally.items > tally.limits.itemsMax)
    return faultOf(`more than ${tally.limits.itemsMax} values`)
  switch (typeof value) {
    case 'string':
      return textFault(value)
    case 'boolean':
      return null
    case 'number':
      if (!Number.isFinite(value)) return faultOf(`${value} is not a JSON number`)
      return Object.is(value, -0) ? faultOf('-0 would lose its sign') : null
    case 'object':
      if (value === null) return null
      if (depth >= tally.limits.depthMax)
        return faultOf(`nested deeper than ${tally.limits.depthMax}`)
      if (Array.isArray(value)) return arrayFault(value, depth, tally)
      return objectFault(value, depth, tally)
    default:
      return faultOf(`${typeof value} is not JSON`)
  }
}

function arrayFault(array: readonly unknown[], depth: number, tally: Tally): Fault | null {
  for (let index = 0; index < array.length; index++) {
    const fault = faultIn(array[index], depth + 1, tally)
    if (fault !== null) return within(fault, index)
  }
  return null
}

function objectFault(object: object, depth: number, tally: Tally): Fault | null {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null) return faultOf('not a plain object')
  const members = object as Record<string, unknown>
  for (const key of Object.keys(members)) {
    tally.members++
    if (key === '__proto__') return faultOf('the key __proto__ is not allowed')
    const fault = textFault(key) ?? faultIn(members[key], depth + 1, tally)
    if (fault !== null) return within(fault, key)
  }
  return null
}

function textFault(text: string): Fault | null {
  if (text.includes('\0')) return faultOf('text holds a NUL character')
  // in every Node since 20, in TypeScript's lib from es2024
  const wellFormed = (text as string & { isWellFormed(): boolean }).isWellFormed()
  return wellFormed ? null : faultOf('text holds half a surrogate pair')
}

function faultOf(what: string): Fault {
  return { what, tokens: [] }
}

function within(fault: Fault, token: string | number): Fault {
  fault.tokens.push(token)
  return fault
}

function decodeUtf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    const lossy = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    throw invalid(where, { what: 'malformed UTF-8', ...placeOfDamage(lossy, bytes) })
  }
}

/** The first replacement character that the bytes did not have themselves. */
function placeOfDamage(lossy: string, bytes: Uint8Array): { line: number; column: number } {
  let from = 0
  let byte = 0
  for (;;) {
    const at = lossy.indexOf('\ufffd', from)
    byte += Buffer.byteLength(lossy.slice(from, at))
    if (bytes[byte] !== 0xef || bytes[byte + 1] !== 0xbf || bytes[byte + 2] !== 0xbd) {
      const before = lossy.slice(0, at)
      const lineStart = before.lastIndexOf('\n') + 1
      return { line: before.split('\n').length, column: at - lineStart + 1 }
    }
    byte += 3
    from = at + 1
  }
}

function canonicalArray(array: readonly Json[]): string {
  let text = '['
  for (let index = 0; index < array.length; index++) {
    if (index > 0) text += ','
    text += canonicalJson(array[index] as Json)
  }
  return `${text}]`
}

function canonicalObject(object: JsonObject): string {
  let text = '{'
  for (const key of sortedKeys(object)) {
    if (text.length > 1) text += ','
    text += `${quoted(key)}:${canonicalJson(object[key] as Json)}`
  }
  return `${text}}`
}

/** By code point. JavaScript sorts by UTF-16 unit, which differs where a key has a character past U+D7FF. */
function sortedKeys(object: JsonObject): string[] {
  const keys = Object.keys(object)
  if (keys.length < 2) return keys
  return keys.some(key => PAST_SURROGATES.test(key)) ? keys.sort(byCodePoint) : keys.sort()
}

function byCodePoint(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right))
}

const PAST_SURROGATES = /[\ud800-\uffff]/
const PLAIN = /^[ !#-[\]-~]*$/

function quoted(text: string): string {
  return text.length < 64 && PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** Python writes an exponent below 1e-4 and gives it two digits; JavaScript below 1e-6. */
function canonicalNumber(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e-4 || size === 0) return String(value)
  const [digits, exponent = ''] = value.toExponential().split('e-')
  return `${digits}e-${exponent.padStart(2, '0')}`
}
