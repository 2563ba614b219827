import { type BlameNode, blameChange, blameNew, textOf } from './blame.ts'
import { diff } from './diff.ts'
import type { Json } from './json.ts'

/** How many characters of texts a change wrote and took away; other values count with the length of their JSON. */
export interface ChangeSize {
  readonly added: number
  readonly removed: number
}

/** @param before the segmented form before the change; null: there was none */
export function changeSize(before: Json | null, after: Json): ChangeSize {
  if (before === null) return { added: charsOf(blameNew(after, 1), 1), removed: 0 }
  const was = blameNew(before, 0)
  const is = blameChange(was, diff(before, after), 1)
  const kept = charsOf(is, 0)
  return { added: charsOf(is, 1), removed: Math.max(0, charsOf(was, 0) - kept) }
}

/** Characters that a revision wrote. */
function charsOf(node: BlameNode, revision: number): number {
  const text = textOf(node)
  if (text !== null) {
    return text.runs.reduce((sum, run) => sum + (run.revision === revision ? run.chars : 0), 0)
  }
  if (node.kind === 'leaf') return node.touched === revision ? String(node.value).length : 0
  const inner = node.kind === 'array' ? node.items : [...node.members.values()]
  return inner.reduce((sum, one) => sum + charsOf(one, revision), 0)
}
