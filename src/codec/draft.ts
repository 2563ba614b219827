import type { Json, JsonObject } from './json.ts'
import { isContainer } from './json-compare.ts'

/** A document being patched: what is changed is copied first, once; all else is shared with the original. */
export interface Draft {
  root: Json
  /** Arrays and objects made for this draft, which may be changed in place. */
  readonly owned: Set<object>
}

/** A draft of `document`, which itself is never changed. */
export function draftOf(document: Json): Draft {
  return { root: document, owned: new Set() }
}

/** The value that `tokens` lead to through own members and items, or undefined. */
export function valueAt(root: Json, tokens: readonly string[]): Json | undefined {
  let value: Json | undefined = root
  for (const token of tokens) {
    if (value === undefined || !isContainer(value)) return undefined
    value = memberOf(value, token)
  }
  return value
}

/** The container that holds what `tokens` (at least one) name, free to be changed; undefined when there is none. */
export function openParent(
  draft: Draft,
  tokens: readonly string[],
): Json[] | JsonObject | undefined {
  if (!isContainer(draft.root)) return undefined
  let parent = owned(draft, draft.root)
  draft.root = parent
  for (let depth = 0; depth < tokens.length - 1; depth++) {
    const token = tokens[depth] as string
    const child = memberOf(parent, token)
    if (child === undefined || !isContainer(child)) return undefined
    const copy = owned(draft, child)
    if (copy !== child) (parent as JsonObject)[token] = copy
    parent = copy
  }
  return parent
}

/** The array index that `token` is (RFC 6901: digits without leading zeros), or -1 when it is none below `length`. */
export function indexOf(token: string, length: number): number {
  if (!/^(?:0|[1-9]\d{0,14})$/.test(token)) return -1
  const index = Number(token)
  return index < length ? index : -1
}

/** The own member or item called `token`, or undefined. */
export function memberOf(container: Json[] | JsonObject, token: string): Json | undefined {
  if (!Array.isArray(container))
    return Object.hasOwn(container, token) ? container[token] : undefined
  const index = indexOf(token, container.length)
  return index < 0 ? undefined : container[index]
}

function owned(draft: Draft, container: Json[] | JsonObject): Json[] | JsonObject {
  if (draft.owned.has(container)) return container
  const copy = Array.isArray(container) ? container.slice() : { ...container }
  draft.owned.add(copy)
  return copy
}
