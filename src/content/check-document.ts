import { checkJson, type Json, type JsonLimits, type JsonObject } from '../codec/json.ts'
import { pointerOf } from '../codec/pointer.ts'
import { isRm3Error, Rm3Error } from '../errors.ts'
import type { Document } from './document.ts'
import {
  DOCUMENT_MAX_BYTES,
  PROTO_MAX,
  SUMMARY_MAX_BYTES,
  TAG_TEXT_MAX,
  TAGS_MAX,
  TITLE_MAX,
} from './limits.ts'

const PROTO = /^[a-z][a-z0-9_-]*$/
const KEYS: ReadonlySet<string> = new Set(['proto', 'hidden', 'summary', 'data', 'tags'])
const TAG_TEXT = `is a text of 1 to ${TAG_TEXT_MAX} characters`
const NUMBERS_OF_GEO = { lat: 90, lon: 180 } as const

/**
 * A document that a caller sent, when it keeps every rule.
 *
 * `proto`, `summary` with a `title` that is not blank, and `data` are required; `hidden` is false and `tags` {} when
 * absent. `tags` holds lists by predicate, of `{"@id": text, "objClass": text}` or `{"objClass": "geo", "lat", "lon"}`,
 * which may have further members. Nothing is trimmed or changed. The sizes are those of `limits.ts`.
 *
 * @throws DOCUMENT_INVALID with `pointer` (RFC 6901) to what is wrong
 * @throws JSON_INVALID with `pointer` for a value that is not JSON, or JSON that rm3 does not keep
 */
export function checkDocument(value: unknown): Document {
  const { proto, hidden = false, summary, data, tags = {} } = membersOf(value)
  if (typeof proto !== 'string' || proto.length > PROTO_MAX || !PROTO.test(proto)) {
    throw wrong('/proto', `is 1 to ${PROTO_MAX} of a-z, 0-9, _ and -, beginning with a letter`)
  }
  if (typeof hidden !== 'boolean') throw wrong('/hidden', 'is true or false')
  if (!isObject(summary)) throw wrong('/summary', 'is an object')
  if (!isObject(data)) throw wrong('/data', 'is an object')
  if (!isObject(tags)) throw wrong('/tags', 'is an object')

  checkTitle(summary)
  checkTags(tags)
  if (isLarger(summary, SUMMARY_MAX_BYTES)) {
    throw wrong('/summary', `has at most ${SUMMARY_MAX_BYTES} bytes as JSON`)
  }
  const document = { proto, hidden, summary, data, tags }
  if (isLarger(document, DOCUMENT_MAX_BYTES)) {
    throw wrong('', `has at most ${DOCUMENT_MAX_BYTES} bytes as JSON`)
  }
  return document
}

/**
 * A document out of an old backup: whatever JSON is in it is kept, with no rule but the shape.
 *
 * It may be without title, of any proto and any size; `summary`, `data` and `tags` are {} and `hidden` is false when
 * absent or null.
 *
 * @param limits depth and number of values
 * @throws DOCUMENT_INVALID, JSON_INVALID with `pointer`
 */
export function checkImportedDocument(value: unknown, limits?: JsonLimits): Document {
  const members = membersOf(value, limits)
  const { proto, hidden } = members
  if (typeof proto !== 'string' || proto === '') throw wrong('/proto', 'is a text')
  if (typeof (hidden ?? false) !== 'boolean') throw wrong('/hidden', 'is true or false')

  const part = (key: 'summary' | 'data' | 'tags'): JsonObject => {
    const found = members[key] ?? {}
    if (!isObject(found)) throw wrong(`/${key}`, 'is an object')
    return found
  }
  const [summary, data, tags] = [part('summary'), part('data'), part('tags')]
  return { proto, hidden: hidden === true, summary, data, tags }
}

/** Whether `checkDocument` takes it. */
export function isDocument(value: unknown): boolean {
  try {
    checkDocument(value)
    return true
  } catch (thrown) {
    if (isRm3Error(thrown)) return false
    throw thrown
  }
}

function membersOf(value: unknown, limits?: JsonLimits): Partial<Record<keyof Document, Json>> {
  const json = checkJson(value, 'the document', limits)
  if (!isObject(json)) throw wrong('', 'is an object')
  const unknown = Object.keys(json).find(key => !KEYS.has(key))
  if (unknown !== undefined) throw wrong(pointerOf([unknown]), 'is not part of a document')
  // a copy of own members: a key missing here must not be looked up in a prototype
  return { ...json }
}

function checkTitle({ title }: JsonObject): void {
  if (typeof title !== 'string' || title.trim() === '' || title.length > TITLE_MAX) {
    throw wrong('/summary/title', `is a text of 1 to ${TITLE_MAX} characters, not only spaces`)
  }
}

function checkTags(tags: JsonObject): void {
  let count = 0
  for (const [predicate, objects] of Object.entries(tags)) {
    const at = pointerOf(['tags', predicate])
    if (predicate === '' || predicate.length > TAG_TEXT_MAX) {
      throw wrong(at, `is named with 1 to ${TAG_TEXT_MAX} characters`)
    }
    if (!Array.isArray(objects)) throw wrong(at, 'is a list')
    count += objects.length
    if (count > TAGS_MAX) throw wrong('/tags', `has at most ${TAGS_MAX} tags in all`)
    objects.forEach((tag, index) => {
      checkTag(tag, `${at}/${index}`)
    })
  }
}

function checkTag(tag: Json, at: string): void {
  if (!isObject(tag)) throw wrong(at, 'is an object')
  const { objClass } = tag
  if (!isTagText(objClass)) throw wrong(`${at}/objClass`, TAG_TEXT)
  if (objClass === 'geo') {
    for (const [name, most] of Object.entries(NUMBERS_OF_GEO)) {
      const number = tag[name]
      if (typeof number !== 'number' || Math.abs(number) > most) {
        throw wrong(`${at}/${name}`, `is a number from -${most} to ${most}`)
      }
    }
  } else if (!isTagText(tag['@id'])) {
    throw wrong(`${at}/@id`, TAG_TEXT)
  }
}

function isTagText(value: Json | undefined): boolean {
  return typeof value === 'string' && value !== '' && value.length <= TAG_TEXT_MAX
}

/** Whether `value` as JSON has more bytes. Most texts are so short that their bytes need not be counted. */
function isLarger(value: object, bytes: number): boolean {
  const text = JSON.stringify(value)
  return text.length * 3 > bytes && new TextEncoder().encode(text).length > bytes
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(at: string, rule: string): Rm3Error {
  const what = at === '' ? 'The document' : `${at.slice(0, 200)} of the document`
  return new Rm3Error('DOCUMENT_INVALID', `${what} breaks a rule: it ${rule}.`, { pointer: at })
}
