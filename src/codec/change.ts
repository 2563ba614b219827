import { type Draft, enablePatches, Immer, type Patch } from 'immer'
import { diff } from './diff.ts'
import { applyTrusted } from './fold.ts'
import { checkJson, type Json } from './json.ts'
import { isContainer } from './json-compare.ts'
import type { Operation } from './patch.ts'
import { pointerOf } from './pointer.ts'
import { escapedKey, SEGMENTED_OVER_CHARS, toSegments } from './segments.ts'

/** Edits that immer saw and that are written as it saw them; more, or in arrays, are compared instead. */
const EDITS_MAX = 8

/** A document after an edit, and the operations that lead to its segmented form. */
export interface Edit<T> {
  readonly after: T
  readonly operations: Operation[]
}

let immer: Immer | undefined

/**
 * What the log stores of a change: operations over the segmented form of `before` that give that of `after`; [] when
 * they are equal.
 *
 * Both are plain documents; an interface such as `Document` will do.
 */
export function makeChange(before: Json | object, after: Json | object): Operation[] {
  return diff(toSegments(before as Json), toSegments(after as Json))
}

/**
 * The segmented form after a change of the log. Fold with this and convert the last result by `fromSegments`.
 *
 * @param segmented the segmented form before it; it is not changed, and the result shares parts with it
 * @throws LOG_DAMAGED when an operation does not apply
 */
export function applyChange(segmented: Json, operations: readonly Operation[]): Json {
  return applyTrusted(segmented, operations)
}

/**
 * A small edit by a program, such as a switched flag: `recipe` changes what it is given.
 *
 * The operations come from what immer saw, so that no documents are compared; an edit of many places, in arrays or of
 * long texts is compared after all, as `makeChange` does. `before` is not changed, nor frozen.
 *
 * @throws JSON_INVALID when the edit put in what is no JSON
 */
export function editWithPatches<T extends object>(
  before: T,
  recipe: (draft: Draft<T>) => void,
): Edit<T> {
  const [after, patches] = editor().produceWithPatches(before, draft => {
    recipe(draft)
  })
  if (patches.length <= EDITS_MAX && patches.every(patch => isMemberEdit(before as Json, patch))) {
    return { after, operations: patches.map(operationOf) }
  }
  checkJson(after, 'the edited document')
  return { after, operations: makeChange(before, after) }
}

/** Made at first use: immer's patches are switched on for the whole process. */
function editor(): Immer {
  if (immer === undefined) {
    enablePatches()
    immer = new Immer({ autoFreeze: false })
  }
  return immer
}

/** Whether the patch sets a member of objects to a short scalar, or removes one. */
function isMemberEdit(before: Json, { op, path, value }: Patch): boolean {
  if (op !== 'remove' && !isShortScalar(value)) return false
  let parent: Json | undefined = before
  for (const token of path) {
    if (parent === undefined || !isContainer(parent) || Array.isArray(parent)) return false
    parent = parent[token]
  }
  return path.length > 0
}

function isShortScalar(value: unknown): boolean {
  if (value === undefined || (value !== null && typeof value === 'object')) return false
  return String(checkJson(value, 'a value')).length <= SEGMENTED_OVER_CHARS
}

/** immer's paths are arrays of keys, RFC 6902's are pointers. */
function operationOf({ op, path, value }: Patch): Operation {
  const pointer = pointerOf(path.map(token => escapedKey(String(token))))
  return op === 'remove' ? { op, path: pointer } : { op, path: pointer, value }
}
