import { carryText, RunReader, type TextRun } from './blame-text.ts'
import { canonicalJson, type Json, type JsonObject } from './json.ts'
import { isContainer } from './json-compare.ts'
import type { Operation } from './patch.ts'
import { tokensOf } from './pointer.ts'

/**
 * A value in the segmented form (see `segments.ts`), with who wrote what of it. Nodes are never changed: trees of many revisions share
 * what is the same. `touched`: the last revision that changed the value, also by taking words away.
 */
export type BlameNode =
  | Leaf
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, BlameNode> }
  | { readonly kind: 'array'; readonly items: readonly BlameNode[] }

interface Leaf {
  readonly kind: 'leaf'
  readonly value: null | boolean | number | string
  /** Of a text; of other values one run of no characters. */
  readonly runs: readonly TextRun[]
  readonly touched: number
}

/** Shorter texts stand in many places by chance. */
const MOVED_CHARS_MIN = 12

/** What a change took away, by its JSON: where it comes back it has only moved. */
type Gone = Map<string, BlameNode[]>

/** All of it is of `revision`. */
export function blameNew(value: Json, revision: number): BlameNode {
  return fresh(value, { revision, gone: new Map(), left: new Map() })
}

/**
 * The tree after a change, given the one before it.
 *
 * @param operations as `diff` makes them of the segmented forms
 */
export function blameChange(
  before: BlameNode,
  operations: readonly Operation[],
  revision: number,
): BlameNode {
  if (operations.length === 0) return before
  const left: Gone = new Map()
  const after = applied(before, operations, { revision, gone: new Map(), left })
  // what came before the place it left was not known yet
  return left.size === 0
    ? after
    : applied(before, operations, { revision, gone: left, left: new Map() })
}

interface Change {
  readonly revision: number
  /** What may have moved: it is taken from here. */
  readonly gone: Gone
  /** What the change takes away is put here. */
  readonly left: Gone
}

function applied(before: BlameNode, operations: readonly Operation[], change: Change): BlameNode {
  let node = before
  for (const operation of operations) {
    node = changed(node, tokensOf(operation.path) ?? [], { operation, change })
  }
  return node
}

interface Edit {
  readonly operation: Operation
  readonly change: Change
}

function changed(node: BlameNode, tokens: readonly string[], edit: Edit): BlameNode {
  const [token, ...rest] = tokens
  const value = 'value' in edit.operation ? (edit.operation.value as Json) : null
  if (token === undefined) return carried(node, value, edit.change)
  if (node.kind === 'object') return changedObject(node.members, token, { rest, value, ...edit })
  if (node.kind === 'array')
    return changedArray(node.items, Number(token), { rest, value, ...edit })
  return node
}

type Step = Edit & { readonly rest: readonly string[]; readonly value: Json }

function changedObject(
  before: ReadonlyMap<string, BlameNode>,
  token: string,
  { rest, value, operation, change }: Step,
): BlameNode {
  const members = new Map(before)
  const old = members.get(token)
  if (rest.length > 0) {
    if (old !== undefined) members.set(token, changed(old, rest, { operation, change }))
  } else if (operation.op === 'remove') {
    if (old !== undefined) note(old, change.left)
    members.delete(token)
  } else if (token === TEXT && old !== undefined) {
    // all lines of a text at once: by themselves they are no text
    return carried({ kind: 'object', members: before }, { [TEXT]: value }, change)
  } else members.set(token, old === undefined ? fresh(value, change) : carried(old, value, change))
  return { kind: 'object', members }
}

function changedArray(
  before: readonly BlameNode[],
  index: number,
  { rest, value, operation, change }: Step,
): BlameNode {
  const items = [...before]
  const old = items[index]
  if (rest.length > 0) {
    if (old !== undefined) items[index] = changed(old, rest, { operation, change })
  } else if (operation.op === 'add') items.splice(index, 0, fresh(value, change))
  else if (old !== undefined && operation.op === 'remove') {
    note(old, change.left)
    items.splice(index, 1)
  } else if (old !== undefined) items[index] = carried(old, value, change)
  return { kind: 'array', items }
}

/** A new value: of the revision, but for what it has that was taken away elsewhere. */
function fresh(value: Json, change: Change): BlameNode {
  const moved = change.gone.size === 0 ? undefined : takeGone(value, change.gone)
  if (moved !== undefined) return moved
  if (Array.isArray(value)) return { kind: 'array', items: value.map(item => fresh(item, change)) }
  if (isContainer(value)) {
    const members = Object.entries(value).map(([key, one]) => [key, fresh(one, change)] as const)
    return { kind: 'object', members: new Map(members) }
  }
  const { revision } = change
  const chars = typeof value === 'string' ? value.length : 0
  return { kind: 'leaf', value, runs: [{ chars, revision }], touched: revision }
}

/** A value in the place of another: what both have keeps its writer. */
function carried(old: BlameNode, value: Json, change: Change): BlameNode {
  const before = textOf(old)
  const after = before === null ? null : plainText(value)
  if (before !== null && after !== null) {
    if (before.text === after && before.isWhole === (typeof value === 'string')) return old
    if (old.kind === 'leaf' && typeof value === 'string' && lineOf(before.text) === lineOf(value)) {
      return endedAs(old, value)
    }
    note(old, change.left)
    const moved = takeGone(value, change.gone)
    if (moved !== undefined) return moved
    const runs = carryText(before.text, before.runs, after, change.revision)
    return asText(value, runs, change.revision)
  }
  if (old.kind === 'object' && isContainer(value) && !Array.isArray(value)) {
    return carriedObject(old.members, value, change)
  }
  if (old.kind === 'leaf' && old.value === value) return old
  note(old, change.left)
  return fresh(value, change)
}

function carriedObject(
  before: ReadonlyMap<string, BlameNode>,
  value: JsonObject,
  change: Change,
): BlameNode {
  const members = new Map<string, BlameNode>()
  for (const [key, one] of Object.entries(value)) {
    const old = before.get(key)
    members.set(key, old === undefined ? fresh(one, change) : carried(old, one, change))
  }
  for (const [key, old] of before) if (!members.has(key)) note(old, change.left)
  return { kind: 'object', members }
}

const TEXT = '$text'

/** The text that a node is, whole or in segments; null when it is none. */
export function textOf(
  node: BlameNode,
): { text: string; runs: readonly TextRun[]; leaves: readonly Leaf[]; isWhole: boolean } | null {
  if (node.kind === 'leaf') {
    return typeof node.value === 'string'
      ? { text: node.value, runs: node.runs, leaves: [node], isWhole: true }
      : null
  }
  const segments = node.kind === 'object' ? node.members.get(TEXT) : undefined
  if (segments?.kind !== 'array') return null
  const leaves = segments.items.filter(item => item.kind === 'leaf')
  return {
    text: leaves.map(leaf => leaf.value).join(''),
    runs: leaves.flatMap(leaf => leaf.runs),
    leaves,
    isWhole: false,
  }
}

function plainText(value: Json): string | null {
  if (typeof value === 'string') return value
  if (!isContainer(value) || Array.isArray(value)) return null
  const segments = value[TEXT]
  return Array.isArray(segments) ? segments.join('') : null
}

/** A text as `value` has it, whole or in segments, written by `runs`. */
function asText(value: Json, runs: readonly TextRun[], revision: number): BlameNode {
  const reader = new RunReader(runs)
  if (typeof value === 'string') {
    return { kind: 'leaf', value, runs: reader.take(value.length), touched: revision }
  }
  const segments = (value as JsonObject)[TEXT] as string[]
  const items = segments.map((text): Leaf => {
    const own = reader.take(lineOf(text).length)
    const end = reader.take(text.length - lineOf(text).length)
    return {
      kind: 'leaf',
      value: text,
      runs: [...own, ...end],
      touched: newestOf(own.length > 0 ? own : end),
    }
  })
  return { kind: 'object', members: new Map([[TEXT, { kind: 'array', items }]]) }
}

/** Without the newline at its end: the last line of a text has none, wherever it came from. */
function lineOf(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text
}

/** The same line with the end that `text` has. */
function endedAs(leaf: Leaf, text: string): Leaf {
  if (leaf.value === text) return leaf
  const own = new RunReader(leaf.runs).take(lineOf(text).length)
  const end = { chars: text.length - lineOf(text).length, revision: newestOf(own) }
  return { ...leaf, value: text, runs: end.chars === 0 ? own : [...own, end] }
}

function newestOf(runs: readonly TextRun[]): number {
  return runs.reduce((newest, { revision }) => Math.max(newest, revision), 0)
}

function takeGone(value: Json, gone: Gone): BlameNode | undefined {
  const node = isLarge(value) ? gone.get(keyOf(value))?.shift() : undefined
  return node?.kind === 'leaf' && typeof value === 'string' ? endedAs(node, value) : node
}

function keyOf(value: Json): string {
  return canonicalJson(typeof value === 'string' ? lineOf(value) : value)
}

/** Keeps what is taken away, and the texts in it. */
function note(node: BlameNode, gone: Gone): void {
  const value = jsonOf(node)
  if (isLarge(value)) {
    const key = keyOf(value)
    const known = gone.get(key)
    if (known === undefined) gone.set(key, [node])
    else known.push(node)
  }
  if (node.kind === 'array') for (const item of node.items) note(item, gone)
  if (node.kind === 'object') for (const member of node.members.values()) note(member, gone)
}

function isLarge(value: Json): boolean {
  return typeof value === 'string' ? value.length >= MOVED_CHARS_MIN : isContainer(value)
}

function jsonOf(node: BlameNode): Json {
  if (node.kind === 'leaf') return node.value
  if (node.kind === 'array') return node.items.map(jsonOf)
  return Object.fromEntries([...node.members].map(([key, member]) => [key, jsonOf(member)]))
}
