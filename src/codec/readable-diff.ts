import { pairUp } from './array-steps.ts'
import { commonRuns } from './common-runs.ts'
import { canonicalJson, type Json, type JsonObject } from './json.ts'
import { isContainer, sameJson } from './json-compare.ts'
import { escapeToken } from './pointer.ts'
import { compareTexts, type TextLine } from './text-diff.ts'

/**
 * A field that differs. `pointer` (RFC 6901) is its place in the document after, or before when `removed`.
 * `text` is a change of a text that has lines or is over 80 characters: `lines` instead of the two values. `moved` is an item that
 * stands elsewhere in its array, as it was.
 */
export type FieldChange =
  | { readonly pointer: string; readonly kind: 'added'; readonly after: Json }
  | { readonly pointer: string; readonly kind: 'removed'; readonly before: Json }
  | {
      readonly pointer: string
      readonly kind: 'changed'
      readonly before: Json
      readonly after: Json
    }
  | { readonly pointer: string; readonly kind: 'text'; readonly lines: TextLine[] }
  | {
      readonly pointer: string
      readonly kind: 'moved'
      /** Its place in the document before. */
      readonly from: string
      readonly value: Json
    }

/** Texts of one line up to this are shown whole, before and after. */
const SHORT_CHARS = 80

/**
 * What a person would say has changed from `before` to `after` (plain documents, not segmented), in the order of
 * the document before and then of what is new; [] when they are equal.
 *
 * Objects are compared by key, arrays by longest common subsequence, texts by lines and those by words.
 */
export function readableDiff(before: Json | object, after: Json | object): FieldChange[] {
  const changes: FieldChange[] = []
  compare(before as Json, after as Json, '', changes)
  return changes
}

function compare(before: Json, after: Json, pointer: string, changes: FieldChange[]): void {
  if (before === after) return
  if (
    typeof before === 'string' &&
    typeof after === 'string' &&
    (isLong(before) || isLong(after))
  ) {
    changes.push({ pointer, kind: 'text', lines: compareTexts(before, after) })
  } else if (!isContainer(before) || !isContainer(after)) {
    changes.push({ pointer, kind: 'changed', before, after })
  } else if (Array.isArray(before) && Array.isArray(after)) {
    compareArrays(before, after, pointer, changes)
  } else if (Array.isArray(before) || Array.isArray(after)) {
    changes.push({ pointer, kind: 'changed', before, after })
  } else compareObjects(before, after, pointer, changes)
}

function compareObjects(
  before: JsonObject,
  after: JsonObject,
  pointer: string,
  changes: FieldChange[],
): void {
  for (const key of Object.keys(before)) {
    const place = `${pointer}/${escapeToken(key)}`
    const value = before[key] as Json
    if (Object.hasOwn(after, key)) compare(value, after[key] as Json, place, changes)
    else changes.push({ pointer: place, kind: 'removed', before: value })
  }
  for (const key of Object.keys(after)) {
    if (Object.hasOwn(before, key)) continue
    changes.push({
      pointer: `${pointer}/${escapeToken(key)}`,
      kind: 'added',
      after: after[key] as Json,
    })
  }
}

function compareArrays(
  before: readonly Json[],
  after: readonly Json[],
  pointer: string,
  changes: FieldChange[],
): void {
  for (const { gone, come, origin } of followMoves(unequalItems(before, after))) {
    if (origin !== null && come !== null) {
      const place = `${pointer}/${come.index}`
      changes.push({
        ...{ pointer: place, kind: 'moved', from: `${pointer}/${origin}` },
        value: come.value,
      })
    } else if (gone !== null && come !== null) {
      compare(gone.value, come.value, `${pointer}/${come.index}`, changes)
    } else if (gone !== null) {
      changes.push({ pointer: `${pointer}/${gone.index}`, kind: 'removed', before: gone.value })
    } else if (come !== null) {
      changes.push({ pointer: `${pointer}/${come.index}`, kind: 'added', after: come.value })
    }
  }
}

interface Item {
  readonly index: number
  readonly value: Json
}

/** An item that went, one that came, or one that became another. */
interface Difference {
  readonly gone: Item | null
  readonly come: Item | null
}

function unequalItems(before: readonly Json[], after: readonly Json[]): Difference[] {
  const found: Difference[] = []
  let from = 0
  let to = 0
  for (const run of commonRuns(before, after)) {
    for (const step of pairUp(before.slice(from, run.from), after.slice(to, run.to))) {
      const gone = step.type === 'add' ? null : { index: from++, value: before[from - 1] as Json }
      const come = step.type === 'remove' ? null : { index: to++, value: after[to - 1] as Json }
      if (gone === null || come === null || !sameJson(gone.value, come.value))
        found.push({ gone, come })
    }
    from = run.from + run.length
    to = run.to + run.length
  }
  return found
}

type Placed = Difference & { readonly origin: number | null }

/** The same with what only moved told as such. @returns `origin`: the index before of an item that came from elsewhere in the array */
function followMoves(differences: readonly Difference[]): Placed[] {
  const gone = new Map<string, number[]>()
  for (const { gone: item } of differences) {
    if (item === null) continue
    const key = canonicalJson(item.value)
    gone.set(key, [...(gone.get(key) ?? []), item.index])
  }
  const moved = new Map<Item, number>()
  for (const { come } of differences) {
    const origin = come === null ? undefined : gone.get(canonicalJson(come.value))?.shift()
    if (come !== null && origin !== undefined) moved.set(come, origin)
  }
  const origins = new Set(moved.values())
  return differences.flatMap((difference): Placed[] => {
    const { come } = difference
    const origin = come === null ? null : (moved.get(come) ?? null)
    const isAway = difference.gone !== null && origins.has(difference.gone.index)
    const left = isAway ? null : difference.gone
    if (origin === null) return [{ gone: left, come, origin }]
    return [
      { gone: left, come: null, origin: null },
      { gone: null, come, origin },
    ]
  })
}

function isLong(text: string): boolean {
  return text.length > SHORT_CHARS || text.includes('\n')
}
