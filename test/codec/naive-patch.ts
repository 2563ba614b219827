import type { Json, JsonObject } from '../../src/codec/json.ts'
import type { Operation } from '../../src/codec/patch.ts'

const decode = (token: string) => token.replaceAll('~1', '/').replaceAll('~0', '~')

/** RFC 6902 add, remove and replace as the RFC tells them, on a deep copy: slow, for comparison. Throws on any fault. */
export function naivePatch(document: Json, operations: readonly Operation[]): Json {
  const box: { root: Json } = { root: structuredClone(document) }
  for (const operation of operations) {
    const tokens = ['root', ...operation.path.split('/').slice(1).map(decode)]
    const key = tokens.pop() as string
    let parent: Json = box as JsonObject
    for (const token of tokens) parent = step(parent, token)
    change(parent, key, operation)
  }
  return box.root
}

function step(parent: Json, token: string): Json {
  if (parent === null || typeof parent !== 'object' || !Object.hasOwn(parent, token))
    throw new Error(`no ${token}`)
  return (parent as JsonObject)[token] as Json
}

function change(parent: Json, key: string, operation: Operation): void {
  if (operation.op !== 'add') step(parent, key)
  const value = 'value' in operation ? (structuredClone(operation.value) as Json) : null
  if (Array.isArray(parent)) {
    const index = Number(key)
    if (String(index) !== key || index > parent.length) throw new Error(`bad index ${key}`)
    if (operation.op === 'add') parent.splice(index, 0, value)
    else if (operation.op === 'remove') parent.splice(index, 1)
    else parent[index] = value
  } else if (operation.op === 'remove') delete (parent as JsonObject)[key]
  else (parent as JsonObject)[key] = value
}
