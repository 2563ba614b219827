import { commonRuns } from './common-runs.ts'
import type { Json, JsonObject } from './json.ts'
import { isContainer, sameJson } from './json-compare.ts'
import { mergeHunks, type Region } from './merge-hunks.ts'
import { escapeToken } from './pointer.ts'

/** A place that two versions changed in different ways; a side that has nothing there has no value. */
export interface Conflict {
  /** Pointer (RFC 6901) to the member, text or array, in the version that both come from where it has it. */
  readonly path: string
  /** The value; of a text or an array only the part in question. */
  readonly base?: Json
  readonly one?: Json
  readonly other?: Json
}

export interface Merged {
  /** What both changed; where they conflict, what `one` has. */
  readonly value: Json
  /** In the order of `value`; [] when the merge is clean. */
  readonly conflicts: readonly Conflict[]
}

/**
 * What `one` and `other` both made of `base`, three ways.
 *
 * A change of one side alone is taken; of both sides, when it is the same. Objects are merged key by key; arrays by longest common
 * subsequence, items that both changed again within; texts by lines, and changed lines by words. In texts, changes conflict when not one
 * line (or word) stands between them; in arrays, when they touch the same items or add at the same place. A text of one word is merged
 * as a whole.
 *
 * With the sides swapped there are the same conflicts, and when there is none the same value. None of the three is changed; the value
 * has parts of them.
 */
export function merge(base: Json, one: Json, other: Json): Merged {
  const conflicts: Conflict[] = []
  const value = mergeValues({ base, one, other }, '', conflicts) ?? null
  return { value, conflicts }
}

/** A value on each side, or none. */
interface Sides {
  readonly base?: Json | undefined
  readonly one?: Json | undefined
  readonly other?: Json | undefined
}

function mergeValues(sides: Sides, path: string, conflicts: Conflict[]): Json | undefined {
  const { base, one, other } = sides
  if (same(one, other) || same(base, other)) return one
  if (same(base, one)) return other
  if (Array.isArray(base) && Array.isArray(one) && Array.isArray(other)) {
    return mergeArrays({ base, one, other }, path, conflicts)
  }
  if (isObject(base) && isObject(one) && isObject(other)) {
    return mergeObjects({ base, one, other }, path, conflicts)
  }
  if (typeof base === 'string' && typeof one === 'string' && typeof other === 'string') {
    return mergeTexts({ base, one, other }, path, conflicts)
  }
  conflicts.push(conflict(path, sides))
  return one
}

function same(left: Json | undefined, right: Json | undefined): boolean {
  if (left === undefined || right === undefined) return left === right
  return sameJson(left, right)
}

function isObject(value: Json | undefined): value is JsonObject {
  return value !== undefined && isContainer(value) && !Array.isArray(value)
}

function conflict(path: string, { base, one, other }: Sides): Conflict {
  return {
    path,
    ...(base !== undefined && { base }),
    ...(one !== undefined && { one }),
    ...(other !== undefined && { other }),
  }
}

function mergeObjects(
  { base, one, other }: Region<JsonObject>,
  path: string,
  conflicts: Conflict[],
): JsonObject {
  const keys = new Set([...Object.keys(base), ...Object.keys(one), ...Object.keys(other)])
  const members: [string, Json][] = []
  for (const key of keys) {
    const sides = { base: member(base, key), one: member(one, key), other: member(other, key) }
    const value = mergeValues(sides, `${path}/${escapeToken(key)}`, conflicts)
    if (value !== undefined) members.push([key, value])
  }
  return Object.fromEntries(members)
}

function member(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

function mergeArrays(sides: Region<Json[]>, path: string, conflicts: Conflict[]): Json[] {
  return mergeHunks(sides, { apart: 0, runs: commonRuns }, region => {
    const { base, one, other, from } = region
    const paired = base.length === one.length && base.length === other.length
    if (paired) {
      return base.map((item, index) => {
        const items = { base: item, one: one[index], other: other[index] }
        return mergeValues(items, `${path}/${from + index}`, conflicts) as Json
      })
    }
    conflicts.push(conflict(path, { base, one, other }))
    return one
  })
}

const LINES = /[^\n]*\n|[^\n]+$/g
/** A word with the space behind it, so that words next to each other have nothing between them. */
const WORDS = /^\s+|\S+\s*/g
/** Longer texts between equal lines are not compared by words. */
const WORDS_MAX_CHARS = 20_000

function mergeTexts(sides: Region<string>, path: string, conflicts: Conflict[]): string {
  const lines = mergeHunks(cut(sides, LINES), { apart: 1, runs: commonRuns }, region => {
    return [mergeWords(joined(region), path, conflicts)]
  })
  return lines.join('')
}

function mergeWords(sides: Region<string>, path: string, conflicts: Conflict[]): string {
  const { base, one, other } = sides
  const clashes: Region<string>[] = []
  const bounded = base.length + one.length + other.length <= WORDS_MAX_CHARS
  const words = bounded
    ? mergeHunks(cut(sides, WORDS), { apart: 1, runs: commonRuns }, region => {
        clashes.push(joined(region))
        return region.one
      })
    : []
  if (bounded && clashes.length === 0) return words.join('')
  conflicts.push(conflict(path, sides))
  return one
}

function cut({ base, one, other }: Region<string>, piece: RegExp): Region<string[]> {
  const pieces = (text: string) => text.match(piece) ?? []
  return { base: pieces(base), one: pieces(one), other: pieces(other) }
}

function joined({ base, one, other }: Region<string[]>): Region<string> {
  return { base: base.join(''), one: one.join(''), other: other.join('') }
}
