import jsonpatch from 'fast-json-patch'
import { isRm3Error, Rm3Error } from '../errors.ts'
import { type Draft, draftOf, indexOf, openParent, valueAt } from './draft.ts'
import { checkJson, JSON_LIMITS, type Json, type JsonObject } from './json.ts'
import { isContainer, measure, sameJson } from './json-compare.ts'
import { pointerOf, tokensOf } from './pointer.ts'

/** One RFC 6902 operation. */
export type Operation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string }

/** Most operations in a patch from outside. */
export const PATCH_OPS_MAX = 100
/** Most bytes, about (a character counts as one), that a patch adds, and that a document has after it. */
export const PATCHED_BYTES_MAX = 4 * 1024 * 1024
/** Most bytes looked at for measuring what is moved and copied. */
const MEASURED_BYTES_MAX = 2 * PATCHED_BYTES_MAX

const MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['add', ['op', 'path', 'value']],
  ['replace', ['op', 'path', 'value']],
  ['test', ['op', 'path', 'value']],
  ['remove', ['op', 'path']],
  ['move', ['from', 'op', 'path']],
  ['copy', ['from', 'op', 'path']],
])
/** Steps of a path through which a patch could reach what objects inherit. */
const BANNED_TOKENS = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * A patch from outside as operations, when it is one: RFC 6902, exactly the members each operation has, pointers of
 * RFC 6901 without the steps `__proto__`, `constructor` and `prototype`, values that `checkJson` takes.
 *
 * Stands before fast-json-patch, which looks operations up through the prototype (`{"op":"constructor"}` makes the
 * document undefined). Whether the operations fit a document, `applyPatch` finds out.
 *
 * @throws PATCH_INVALID with `operation` (from 0) and `pointer` (of the patch itself, or the operation's path)
 */
export function checkPatch(operations: unknown, opsMax = PATCH_OPS_MAX): Operation[] {
  if (!Array.isArray(operations)) throw invalid('the patch is not an array of operations')
  if (operations.length > opsMax) throw invalid(`the patch has more than ${opsMax} operations`)
  checkValues(operations)
  operations.forEach(checkOperation)
  return operations as Operation[]
}

/**
 * `document` with `operations`, which `checkPatch` has passed, carried out in order: all, or none and an error.
 *
 * The document is not changed; what the patch leaves alone is shared with it. Array indexes must be there (`-` and
 * the length are for `add`), targets must exist as own members, nothing moves into itself, the whole document is not
 * removed, and neither what is added and copied nor the result may be over 4 MB or nested deeper than 64.
 *
 * @throws PATCH_TEST_FAILED when a `test` finds another value or none
 * @throws PATCH_INVALID both with `operation` (from 0) and `pointer`
 */
export function applyPatch(document: Json, operations: readonly Operation[]): Json {
  const work: Work = { draft: draftOf(document), added: 0, measured: 0, operation: 0, pointer: '' }
  operations.forEach((operation, number) => {
    work.operation = number
    work.pointer = operation.path
    applyOne(work, operation)
  })
  const { root } = work.draft
  if (work.added > 0 && measure(root, PATCHED_BYTES_MAX) > PATCHED_BYTES_MAX) {
    throw invalid('the result would be over 4 MB')
  }
  return root
}

/**
 * `document` with an RFC 7396 merge patch: members are merged, null removes, anything else replaces. Neither side is
 * changed; the result shares parts with both.
 *
 * @param patch JSON that `checkJson` or `parseJson` has passed
 */
export function mergePatch(document: Json, patch: Json): Json {
  if (!isContainer(patch) || Array.isArray(patch)) return patch
  const merged: JsonObject =
    isContainer(document) && !Array.isArray(document) ? { ...document } : {}
  for (const key of Object.keys(patch)) {
    if (key === '__proto__') throw invalid('the key __proto__ is not allowed')
    const value = patch[key] as Json
    if (value === null) delete merged[key]
    else merged[key] = mergePatch(Object.hasOwn(merged, key) ? (merged[key] as Json) : null, value)
  }
  return merged
}

interface Work {
  readonly draft: Draft
  /** Bytes added and copied so far. */
  added: number
  /** Bytes looked at so far to measure them. */
  measured: number
  operation: number
  pointer: string
}

function checkValues(operations: readonly unknown[]): void {
  try {
    // an operation is two levels above its value
    checkJson(operations, 'the patch', { ...JSON_LIMITS, depthMax: JSON_LIMITS.depthMax + 2 })
  } catch (thrown) {
    if (!isRm3Error(thrown, 'JSON_INVALID')) throw thrown
    const { pointer } = thrown.details
    throw invalid(thrown.message, {
      operation: Number(String(pointer).split('/')[1] ?? 0),
      pointer,
    })
  }
}

function checkOperation(candidate: unknown, operation: number): void {
  const place = { operation, pointer: pointerOf([operation]) }
  if (candidate === null || typeof candidate !== 'object' || Array.isArray(candidate)) {
    throw invalid('an operation is not an object', place)
  }
  const { op, from, path } = candidate as JsonObject
  const members = Object.hasOwn(candidate, 'op') ? MEMBERS.get(op) : undefined
  if (members === undefined) throw invalid('an operation has no op of RFC 6902', place)
  if (Object.keys(candidate).sort().join() !== members.join()) {
    throw invalid(`the operation ${op} must have the members ${members.join(', ')}`, place)
  }
  for (const pointer of members.includes('from') ? [from, path] : [path]) {
    const tokens = typeof pointer === 'string' ? tokensOf(pointer) : null
    if (tokens === null) throw invalid('a path is not a JSON pointer', place)
    const banned = tokens.find(token => BANNED_TOKENS.has(token))
    if (banned !== undefined) throw invalid(`a path goes through ${banned}`, { operation, pointer })
    if (tokens.length > JSON_LIMITS.depthMax)
      throw invalid('a path is too deep', { operation, pointer })
  }
}

function applyOne(work: Work, operation: Operation): void {
  const tokens = tokensIn(work, operation.path)
  switch (operation.op) {
    case 'test': {
      const found = valueAt(work.draft.root, tokens)
      if (found !== undefined && sameJson(found, operation.value as Json)) break
      throw failed(
        'PATCH_TEST_FAILED',
        work,
        found === undefined ? 'there is no value' : 'another value',
      )
    }
    case 'add':
    case 'replace':
      admit(work, operation.value as Json, tokens.length)
      execute(work, operation.op, tokens, operation.value as Json)
      break
    case 'remove':
      execute(work, 'remove', tokens)
      break
    case 'copy':
      copy(work, operation.from, tokens)
      break
    case 'move':
      move(work, operation.from, operation.path, tokens)
      break
  }
}

function copy(work: Work, from: string, tokens: string[]): void {
  const value = sourceOf(work, from)
  admit(work, value, tokens.length)
  // the copy and the original are one value from here on: neither may be changed in place
  work.draft.owned.clear()
  execute(work, 'add', tokens, value)
}

function move(work: Work, from: string, path: string, tokens: string[]): void {
  const value = sourceOf(work, from)
  if (from === path) return
  if (path.startsWith(`${from}/`)) {
    throw failed('PATCH_INVALID', work, 'a value cannot move into itself')
  }
  measured(work, value, tokens.length)
  execute(work, 'remove', tokensIn(work, from))
  execute(work, 'add', tokens, value)
}

function sourceOf(work: Work, from: string): Json {
  const value = valueAt(work.draft.root, tokensIn(work, from))
  if (value === undefined) throw failed('PATCH_INVALID', work, `there is nothing at ${from}`)
  return value
}

/** Counts a value that is to be added `depth` steps down. */
function admit(work: Work, value: Json, depth: number): void {
  work.added += measured(work, value, depth)
  if (work.added > PATCHED_BYTES_MAX)
    throw failed('PATCH_INVALID', work, 'the patch adds over 4 MB')
}

function measured(work: Work, value: Json, depth: number): number {
  const bytes = measure(value, MEASURED_BYTES_MAX - work.measured, JSON_LIMITS.depthMax - depth)
  work.measured += bytes
  if (work.measured <= MEASURED_BYTES_MAX) return bytes
  throw failed('PATCH_INVALID', work, 'the patch moves over 8 MB or makes more than 64 levels')
}

/** One step through fast-json-patch, after all it does not look at has been made sure of. */
function execute(
  work: Work,
  op: 'add' | 'replace' | 'remove',
  tokens: string[],
  value: Json = null,
): void {
  const { draft } = work
  if (tokens.length === 0) {
    if (op === 'remove') throw failed('PATCH_INVALID', work, 'the whole document cannot be removed')
    draft.root = value
    return
  }
  const parent = openParent(draft, tokens)
  const last = tokens.at(-1) as string
  if (parent === undefined) throw failed('PATCH_INVALID', work, 'there is nothing to change there')
  const key = Array.isArray(parent) ? placeIn(parent, last, op) : last
  const exists = Array.isArray(parent) ? key !== '' : op === 'add' || Object.hasOwn(parent, key)
  if (!exists) throw failed('PATCH_INVALID', work, 'there is no such member or index')
  const path = pointerOf([...tokens.slice(0, -1), key])
  const step = op === 'remove' ? { op, path } : { op, path, value }
  jsonpatch.applyOperation(draft.root, step, false, true)
}

/** `token` as an index that `op` may have in `array`, or ''. */
function placeIn(array: readonly Json[], token: string, op: string): string {
  if (op === 'add' && token === '-') return String(array.length)
  return indexOf(token, op === 'add' ? array.length + 1 : array.length) < 0 ? '' : token
}

function tokensIn(work: Work, pointer: string): string[] {
  const tokens = tokensOf(pointer)
  if (tokens === null) throw failed('PATCH_INVALID', work, 'a path is not a JSON pointer')
  const banned = tokens.find(token => BANNED_TOKENS.has(token))
  if (banned !== undefined) throw failed('PATCH_INVALID', work, `a path goes through ${banned}`)
  return tokens
}

function failed(code: 'PATCH_INVALID' | 'PATCH_TEST_FAILED', work: Work, what: string): Rm3Error {
  const { operation, pointer } = work
  const message = `Operation ${operation} of the patch, at ${pointer || 'the top'}: ${what}.`
  return new Rm3Error(code, message, { operation, pointer })
}

function invalid(what: string, place: Record<string, unknown> = {}): Rm3Error {
  return new Rm3Error('PATCH_INVALID', `Not a patch that can be applied: ${what}.`, place)
}
