import type { Json, JsonObject } from './json.ts'

/** Whether two values are equal as JSON: the order of keys does not count. */
export function sameJson(left: Json, right: Json): boolean {
  if (left === right) return true
  if (!isContainer(left) || !isContainer(right)) return false
  if (Array.isArray(left)) return Array.isArray(right) && sameArrays(left, right)
  return !Array.isArray(right) && sameObjects(left, right)
}

/**
 * About how many bytes `value` takes as JSON; Infinity as soon as it is more than `sizeMax` or nested deeper than
 * `depthMax`.
 */
export function measure(value: Json, sizeMax: number, depthMax = 64): number {
  switch (typeof value) {
    case 'string':
      return value.length + 2
    case 'number':
      return Number.isInteger(value) && Math.abs(value) < 1000 ? 3 : String(value).length
    case 'boolean':
      return 5
    default:
      if (value === null) return 4
      if (depthMax <= 0) return Number.POSITIVE_INFINITY
      return Array.isArray(value)
        ? measureArray(value, sizeMax, depthMax - 1)
        : measureObject(value, sizeMax, depthMax - 1)
  }
}

/** Whether `value` is an array or an object. */
export function isContainer(value: Json): value is Json[] | JsonObject {
  return value !== null && typeof value === 'object'
}

function sameArrays(left: readonly Json[], right: readonly Json[]): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) {
    if (!sameJson(left[index] as Json, right[index] as Json)) return false
  }
  return true
}

function sameObjects(left: JsonObject, right: JsonObject): boolean {
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length) return false
  for (const key of keys) {
    if (!Object.hasOwn(right, key) || !sameJson(left[key] as Json, right[key] as Json)) return false
  }
  return true
}

function measureArray(array: readonly Json[], sizeMax: number, depthMax: number): number {
  let size = 2
  for (const item of array) {
    size += 1 + measure(item, sizeMax - size, depthMax)
    if (size > sizeMax) return Number.POSITIVE_INFINITY
  }
  return size
}

function measureObject(object: JsonObject, sizeMax: number, depthMax: number): number {
  let size = 2
  for (const key of Object.keys(object)) {
    size += key.length + 4 + measure(object[key] as Json, sizeMax - size, depthMax)
    if (size > sizeMax) return Number.POSITIVE_INFINITY
  }
  return size
}
