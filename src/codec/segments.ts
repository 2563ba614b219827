import { Rm3Error } from '../errors.ts'
import type { Json, JsonObject } from './json.ts'
import { cutText } from './text-segments.ts'

/** Longer texts are kept in segments. */
export const SEGMENTED_OVER_CHARS = 256

const TEXT = '$text'
/** Keys of a document that could be taken for ours, and ours once escaped: each `$` more is one escape. */
const TEXT_LIKE = /^\$+text$/

/**
 * The form of a document that the log's patches work on: each text over 256 characters is `{"$text": [segment, …]}`,
 * so that an edit of one line is a small operation. A key `$text` of the document itself gets a second `$`.
 *
 * Parts that stay as they are are shared with `value`.
 */
export function toSegments(value: Json): Json {
  if (typeof value === 'string') {
    return value.length > SEGMENTED_OVER_CHARS ? { [TEXT]: cutText(value) } : value
  }
  return mapped(value, toSegments, escapedKey)
}

/**
 * The document of a segmented form; `fromSegments(toSegments(x))` is x.
 *
 * @throws LOG_DAMAGED when a `$text` is not a list of texts or has a neighbour
 */
export function fromSegments(value: Json): Json {
  if (value !== null && typeof value === 'object' && Object.hasOwn(value, TEXT)) {
    return joined(value as JsonObject)
  }
  return mapped(value, fromSegments, unescapedKey)
}

/** A reference token in a document as it is in the segmented form. */
export function escapedKey(key: string): string {
  return key.endsWith(TEXT) && TEXT_LIKE.test(key) ? `$${key}` : key
}

/** A key of the segmented form as the document has it. */
export function unescapedKey(key: string): string {
  return key.endsWith(TEXT) && TEXT_LIKE.test(key) ? key.slice(1) : key
}

/** Parts that were found to be sound. They are never changed: patches make others. */
const sound = new WeakSet<object>()

/**
 * Whether patches have left a form that is one of a document: texts are lists of texts, and no key is `__proto__`. What it shares with forms
 * that were looked at before is not looked at again.
 */
export function isSegmented(value: Json): boolean {
  if (value === null || typeof value !== 'object' || sound.has(value)) return true
  const isSound = Array.isArray(value)
    ? value.every(isSegmented)
    : Object.hasOwn(value, TEXT)
      ? piecesOf(value) !== null
      : Object.keys(value).every(key => key !== '__proto__' && isSegmented(value[key] as Json))
  if (isSound) sound.add(value)
  return isSound
}

function joined(object: JsonObject): string {
  const pieces = piecesOf(object)
  if (pieces !== null) return pieces.join('')
  throw new Rm3Error('LOG_DAMAGED', 'A $text in the segmented form is not a list of texts.')
}

/** The pieces of a text in the segmented form; null when the object is none. */
export function piecesOf(object: JsonObject): readonly string[] | null {
  const pieces = object[TEXT]
  const isText =
    Array.isArray(pieces) &&
    pieces.every(piece => typeof piece === 'string') &&
    Object.keys(object).length === 1
  return isText ? pieces : null
}

/** `value` itself when neither its members nor its keys change. */
function mapped(value: Json, map: (member: Json) => Json, rename: (key: string) => string): Json {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) {
    let changed = false
    const items = value.map(item => {
      const mappedItem = map(item)
      changed ||= mappedItem !== item
      return mappedItem
    })
    return changed ? items : value
  }
  let changed = false
  const keys = Object.keys(value)
  const members = keys.map(key => {
    const member = value[key] as Json
    const mappedMember = map(member)
    changed ||= mappedMember !== member || rename(key) !== key
    return mappedMember
  })
  if (!changed) return value
  return Object.fromEntries(keys.map((key, index) => [rename(key), members[index] as Json]))
}
