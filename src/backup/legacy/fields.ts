import type { JsonObject } from '../../codec/json.ts'
import { refuse, type Spot, spotIn, warn } from './findings.ts'
import { isUuid } from './ids.ts'
import { readInstant } from './times.ts'

const LABEL = /^[A-Za-z0-9][A-Za-z0-9_]*$/
const LABEL_CHARS_MAX = 255
const LABELS_MAX = 64
const NUMBER_MAX = 2 ** 31 - 1

/** The object at `spot`; anything else is refused and {} comes back. */
export function objectAt(spot: Spot): JsonObject {
  if (isObject(spot.value)) return spot.value
  refuse(spot, 'type', `an object is expected, not ${kindOf(spot.value)}`)
  return {}
}

/** The items of the array at `spot`; anything else is refused and [] comes back. */
export function itemsAt(spot: Spot): Spot[] {
  if (Array.isArray(spot.value)) return spot.value.map((_, index) => spotIn(spot, index))
  refuse(spot, 'type', `an array is expected, not ${kindOf(spot.value)}`)
  return []
}

/** The text at `spot`, null when it is null or absent. */
export function findText(spot: Spot): string | null {
  const { value } = spot
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  refuse(spot, 'type', `a text is expected, not ${kindOf(value)}`)
  return null
}

/** The text at `spot`, which must be there and not be empty. */
export function textAt(spot: Spot): string {
  const text = findText(spot)
  if (text) return text
  if (typeof spot.value === 'string' || spot.value === null || spot.value === undefined)
    refuse(spot, 'missing', 'a text is missing')
  return ''
}

/** The flag at `spot`, null when it is null or absent. */
export function findFlag(spot: Spot): boolean | null {
  const { value } = spot
  if (value === null || value === undefined) return null
  if (typeof value === 'boolean') return value
  refuse(spot, 'type', `true or false is expected, not ${kindOf(value)}`)
  return null
}

/** The revision number at `spot`, null when it is null or absent. */
export function findNumber(spot: Spot): number | null {
  const { value } = spot
  if (value === null || value === undefined) return null
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= NUMBER_MAX)
    return Number(value)
  refuse(spot, 'number', `a whole number from 1 is expected, not ${kindOf(value)}`)
  return null
}

/** The uuid at `spot` in lower case, null when it is null or absent. */
export function findUuid(spot: Spot): string | null {
  const text = findText(spot)?.toLowerCase()
  if (text === undefined) return null
  if (isUuid(text)) return text
  refuse(spot, 'uuid', 'this is not a uuid')
  return null
}

/** The instant at `spot`, null when it is null or absent. Without a zone it is taken as UTC, with a warning. */
export function findInstant(spot: Spot): string | null {
  const text = findText(spot)
  if (text === null) return null
  const read = readInstant(text)
  if (read === null) {
    refuse(spot, 'time', 'this is not an instant')
    return null
  }
  if (!read.zoned) warn(spot, 'time-without-zone', 'the time names no zone; it is taken as UTC')
  return read.instant
}

/** The path at `spot`, dotted, null when null or absent. Written as text, as `{"path": [...]}` or as an array. */
export function findPath(spot: Spot): string | null {
  const { value } = spot
  if (value === null || value === undefined) return null
  const list = isObject(value) ? value['path'] : value
  const labels = typeof list === 'string' ? list.split('.') : list
  if (
    Array.isArray(labels) &&
    labels.length <= LABELS_MAX &&
    labels.every(isLabel) &&
    labels.length
  )
    return labels.join('.')
  refuse(spot, 'path', 'this is not a path')
  return null
}

/** Whether `text` is a dotted path. */
export function isPath(text: string): boolean {
  const labels = text.split('.')
  return labels.length <= LABELS_MAX && labels.every(isLabel)
}

/** The members of `object` that are not in `known`. */
export function othersIn(object: JsonObject, known: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !known.has(key)))
}

/** Whether `value` is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isLabel(label: unknown): boolean {
  return typeof label === 'string' && label.length <= LABEL_CHARS_MAX && LABEL.test(label)
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
