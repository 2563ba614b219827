import { type BlameNode, textOf } from './blame.ts'
import { RunReader } from './blame-text.ts'
import type { Json } from './json.ts'
import { escapeToken } from './pointer.ts'
import { unescapedKey } from './segments.ts'

/** Words of one revision. */
export interface BlamePart {
  readonly text: string
  readonly revision: number
}

/** A line, without its newline. `revision`: the last one that changed it. */
export interface BlameLine {
  readonly revision: number
  readonly parts: readonly BlamePart[]
}

/**
 * Who wrote a field of a document. `revision`: the last one that changed it; a text has `lines`, another value is given. `pointer`
 * (RFC 6901) is its place.
 */
export type BlameField =
  | { readonly pointer: string; readonly revision: number; readonly value: Json }
  | { readonly pointer: string; readonly revision: number; readonly lines: readonly BlameLine[] }

/** The fields of a blamed document, in its order; empty objects and arrays are none. */
export function blameFields(root: BlameNode): BlameField[] {
  const fields: BlameField[] = []
  walk(root, '', fields)
  return fields
}

function walk(node: BlameNode, pointer: string, fields: BlameField[]): void {
  const text = textOf(node)
  if (text !== null) {
    const revision = newest(text.leaves.map(({ touched }) => touched))
    fields.push({ pointer, revision, lines: linesOf(text, revision) })
  } else if (node.kind === 'array') {
    node.items.forEach((item, index) => {
      walk(item, `${pointer}/${index}`, fields)
    })
  } else if (node.kind === 'object') {
    for (const [key, member] of node.members) {
      walk(member, `${pointer}/${escapeToken(unescapedKey(key))}`, fields)
    }
  } else fields.push({ pointer, revision: node.touched, value: node.value })
}

type Text = NonNullable<ReturnType<typeof textOf>>

function linesOf({ text, runs, leaves, isWhole }: Text, revision: number): BlameLine[] {
  const reader = new RunReader(runs)
  // a short text has several lines in one piece, of which only one was changed perhaps
  const touches = new RunReader(
    isWhole && text.includes('\n')
      ? runs
      : leaves.map(({ value, touched }) => ({ chars: String(value).length, revision: touched })),
  )
  // behind the last newline there is nothing that somebody wrote: it is of who wrote what is before
  let last = revision
  return text.split('\n').map((line, index, lines) => {
    const parts = partsOf(line, reader)
    const touched = touches.take(line.length).map(({ revision }) => revision)
    if (index < lines.length - 1) {
      touched.push(...touches.take(1).map(({ revision }) => revision))
      reader.take(1)
    }
    if (touched.length > 0) last = newest(touched)
    return { revision: last, parts }
  })
}

function partsOf(line: string, reader: RunReader): BlamePart[] {
  let at = 0
  return reader.take(line.length).map(({ chars, revision }) => {
    const text = line.slice(at, at + chars)
    at += chars
    return { text, revision }
  })
}

function newest(revisions: readonly number[]): number {
  return revisions.reduce((last, revision) => Math.max(last, revision), 0)
}
