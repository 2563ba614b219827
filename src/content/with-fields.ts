import type { Json, JsonObject } from '../codec/json.ts'
import { tokensOf } from '../codec/pointer.ts'
import { Rm3Error } from '../errors.ts'
import { checkDocument } from './check-document.ts'
import type { Document } from './document.ts'

/**
 * A document in which some members are as in another one: what the other has not is taken away, and objects on the way are made. Neither
 * is changed.
 *
 * @param pointers RFC 6901, to members of objects: `/summary/title`, `/data/posting`
 * @throws REQUEST_INVALID for what is no such pointer, or where neither has anything; DOCUMENT_INVALID when the outcome is none
 */
export function withFields(
  document: Document,
  other: Document,
  pointers: readonly string[],
): Document {
  let result = document as unknown as Json
  for (const pointer of pointers) {
    const tokens = tokensOf(pointer)
    if (tokens === null || tokens.length === 0) throw invalid(pointer, 'is no pointer to a member')
    const value = valueAt(other as unknown as Json, tokens)
    if (value === undefined && valueAt(result, tokens) === undefined) {
      throw invalid(pointer, 'is in neither of the two')
    }
    result = withValue(result, tokens, value, pointer)
  }
  return checkDocument(result)
}

function valueAt(root: Json, tokens: readonly string[]): Json | undefined {
  let value: Json | undefined = root
  for (const token of tokens) value = isObject(value) ? member(value, token) : undefined
  return value
}

function withValue(
  within: Json | undefined,
  [token = '', ...rest]: readonly string[],
  value: Json | undefined,
  pointer: string,
): Json {
  if (within !== undefined && !isObject(within)) throw invalid(pointer, 'leads through no object')
  const object = within ?? {}
  const now = member(object, token)
  const next = rest.length === 0 ? value : withValue(now, rest, value, pointer)
  const entries = Object.entries(object)
  if (next === undefined) return Object.fromEntries(entries.filter(([key]) => key !== token))
  if (now === undefined) return Object.fromEntries([...entries, [token, next]])
  return Object.fromEntries(entries.map(([key, old]) => [key, key === token ? next : old]))
}

function member(object: JsonObject, token: string): Json | undefined {
  return Object.hasOwn(object, token) ? object[token] : undefined
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(pointer: string, why: string): Rm3Error {
  return new Rm3Error('REQUEST_INVALID', `"${pointer.slice(0, 200)}" ${why} of a document`, {
    pointer: '/fields',
  })
}
