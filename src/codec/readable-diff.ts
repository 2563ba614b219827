import { pairUp } from './array-steps.ts'
import { commonRuns } from './common-runs.ts'
import type { Json, JsonObject } from './json.ts'
import { isContainer, sameJson } from './json-compare.ts'
import { escapeToken } from './pointer.ts'
import { compareTexts, type TextLine } from './text-diff.ts'

/**
 * A field that differs. `pointer` (RFC 6901) is its place in the document after, or before when `removed`.
 * `text` is a change of a text that has lines or is over 80 characters: `lines` instead of the two values.
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
  let from = 0
  let to = 0
  for (const run of commonRuns(before, after)) {
    for (const step of pairUp(before.slice(from, run.from), after.slice(to, run.to))) {
      if (step.type === 'remove') {
        changes.push({
          pointer: `${pointer}/${from}`,
          kind: 'removed',
          before: before[from] as Json,
        })
      } else if (step.type === 'add') {
        changes.push({ pointer: `${pointer}/${to}`, kind: 'added', after: step.after })
      } else if (!sameJson(step.before, step.after)) {
        compare(step.before, step.after, `${pointer}/${to}`, changes)
      }
      if (step.type !== 'add') from++
      if (step.type !== 'remove') to++
    }
    from = run.from + run.length
    to = run.to + run.length
  }
}

function isLong(text: string): boolean {
  return text.length > SHORT_CHARS || text.includes('\n')
}
