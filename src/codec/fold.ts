import { Rm3Error } from '../errors.ts'
import { draftOf, indexOf, openParent } from './draft.ts'
import type { Json, JsonObject } from './json.ts'
import type { Operation } from './patch.ts'
import { tokensOf } from './pointer.ts'

/**
 * `document` with operations that `diff` made (add, remove, replace), read back from the log.
 *
 * Neither is changed; the result shares with both what the operations leave alone. No budget is kept: the log's
 * writers have checked what they wrote.
 *
 * @throws LOG_DAMAGED when an operation does not apply, with `operation` (from 0) and `pointer`
 */
export function applyTrusted(document: Json, operations: readonly Operation[]): Json {
  const draft = draftOf(document)
  operations.forEach((operation, number) => {
    const tokens = tokensOf(operation.path)
    const value = 'value' in operation ? (operation.value as Json) : undefined
    if (tokens?.length === 0 && operation.op === 'replace' && value !== undefined) {
      draft.root = value
      return
    }
    const parent = tokens?.length ? openParent(draft, tokens) : undefined
    if (parent !== undefined && changed(parent, tokens?.at(-1) as string, operation.op, value))
      return
    const { op, path } = operation
    throw new Rm3Error('LOG_DAMAGED', `A patch of the log does not apply: ${op} at ${path}.`, {
      operation: number,
      pointer: path,
    })
  })
  return draft.root
}

function changed(parent: Json[] | JsonObject, token: string, op: string, value?: Json): boolean {
  if (op === 'remove') return removed(parent, token)
  if (value === undefined || token === '__proto__') return false
  if (op === 'add') return added(parent, token, value)
  return op === 'replace' && replaced(parent, token, value)
}

function removed(parent: Json[] | JsonObject, token: string): boolean {
  if (!Array.isArray(parent)) return Object.hasOwn(parent, token) && delete parent[token]
  const index = indexOf(token, parent.length)
  if (index >= 0) parent.splice(index, 1)
  return index >= 0
}

function added(parent: Json[] | JsonObject, token: string, value: Json): boolean {
  if (!Array.isArray(parent)) {
    parent[token] = value
    return true
  }
  const index = indexOf(token, parent.length + 1)
  if (index >= 0) parent.splice(index, 0, value)
  return index >= 0
}

function replaced(parent: Json[] | JsonObject, token: string, value: Json): boolean {
  const there = Array.isArray(parent)
    ? indexOf(token, parent.length) >= 0
    : Object.hasOwn(parent, token)
  if (there) (parent as JsonObject)[token] = value
  return there
}
