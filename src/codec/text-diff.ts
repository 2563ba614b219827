import type { Run } from './alignment.ts'
import { choosePairs, type Pair } from './array-steps.ts'
import { commonRuns } from './common-runs.ts'
import { type LineMoves, lineMoves } from './line-moves.ts'
import { lineRuns } from './line-runs.ts'

/** A piece of a line. */
export interface TextPart {
  readonly kind: 'same' | 'added' | 'removed'
  readonly text: string
}

/**
 * A line of either text or, when `changed`, of both; without its newline. Line numbers are from 1.
 * `skipped` stands for that many equal lines. A line that went from one place and came to another as it was is told twice, each with
 * its number on the other side.
 */
export type TextLine =
  | {
      readonly kind: 'same' | 'changed'
      readonly parts: TextPart[]
      readonly oldLine: number
      readonly newLine: number
    }
  | {
      readonly kind: 'added'
      readonly parts: TextPart[]
      readonly newLine: number
      readonly movedFrom?: number
    }
  | {
      readonly kind: 'removed'
      readonly parts: TextPart[]
      readonly oldLine: number
      readonly movedTo?: number
    }
  | { readonly kind: 'skipped'; readonly count: number }

/** Equal lines shown before and after a change. */
const CONTEXT_LINES = 3
/** Fewer equal lines than this are shown rather than skipped. */
const SKIPPED_MIN = 2
/** Words inserted and removed in a line beyond which it is shown as another line. */
const WORD_EDITS_MAX = 80
/** Characters of changed lines that are compared by words in one text; the rest is shown line by line. */
const WORD_CHARS_MAX = 60_000

interface Output {
  readonly lines: TextLine[]
  readonly moves: LineMoves
  wordChars: number
}

/**
 * The lines of two texts side by side: equal ones with three lines of context around each change, changed ones with
 * their words compared, those that moved named as such, all in order. Bounded in time by counts, not by the clock: the same input gives the same lines.
 */
export function compareTexts(before: string, after: string): TextLine[] {
  const oldLines = linesOf(before)
  const newLines = linesOf(after)
  const runs = lineRuns(oldLines, newLines)
  const moves = lineMoves(oldLines, newLines, runs)
  const output: Output = { lines: [], moves, wordChars: WORD_CHARS_MAX }
  let oldAt = 0
  let newAt = 0
  runs.forEach((run, index) => {
    writeChange(
      oldLines.slice(oldAt, run.from),
      newLines.slice(newAt, run.to),
      { oldAt, newAt },
      output,
    )
    writeSame(newLines, run, { first: index === 0, last: index === runs.length - 1 }, output)
    oldAt = run.from + run.length
    newAt = run.to + run.length
  })
  return output.lines
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.split('\n')
}

/** A stretch of equal lines, but for its ends that touch a change, skipped. */
function writeSame(
  newLines: readonly string[],
  run: Run,
  place: { first: boolean; last: boolean },
  output: Output,
): void {
  const head = place.first ? 0 : CONTEXT_LINES
  const tail = place.last ? 0 : CONTEXT_LINES
  const skipped = run.length - head - tail < SKIPPED_MIN ? 0 : run.length - head - tail
  for (let index = 0; index < run.length; index++) {
    if (skipped > 0 && index === head) {
      output.lines.push({ kind: 'skipped', count: skipped })
      index += skipped
      if (index >= run.length) return
    }
    output.lines.push({
      kind: 'same',
      parts: [{ kind: 'same', text: newLines[run.to + index] as string }],
      oldLine: run.from + index + 1,
      newLine: run.to + index + 1,
    })
  }
}

/** Lines that took the place of others: those that are alike as changed ones, between them removed ones, then added. */
function writeChange(
  removed: readonly string[],
  added: readonly string[],
  start: { oldAt: number; newAt: number },
  output: Output,
): void {
  let left = 0
  let right = 0
  for (const [nextLeft, nextRight] of [
    ...pairsOf(removed, added, start, output.moves),
    [removed.length, added.length] as Pair,
  ]) {
    for (; left < nextLeft; left++) {
      const parts: TextPart[] = [{ kind: 'removed', text: removed[left] as string }]
      const place = start.oldAt + left
      const to = output.moves.to.get(place)
      const moved = to !== undefined && { movedTo: to + 1 }
      output.lines.push({ kind: 'removed', parts, oldLine: place + 1, ...moved })
    }
    for (; right < nextRight; right++) {
      const parts: TextPart[] = [{ kind: 'added', text: added[right] as string }]
      const place = start.newAt + right
      const from = output.moves.from.get(place)
      const moved = from !== undefined && { movedFrom: from + 1 }
      output.lines.push({ kind: 'added', parts, newLine: place + 1, ...moved })
    }
    if (left === removed.length || right === added.length) break
    writePair(removed[left++] as string, added[right++] as string, output, {
      oldLine: start.oldAt + left,
      newLine: start.newAt + right,
    })
  }
}

function writePair(
  before: string,
  after: string,
  output: Output,
  lines: { oldLine: number; newLine: number },
): void {
  if (before === after) {
    output.lines.push({ kind: 'same', parts: [{ kind: 'same', text: after }], ...lines })
  } else {
    output.lines.push({ kind: 'changed', parts: compareWords(before, after, output), ...lines })
  }
}

interface Line {
  readonly text: string
  readonly isMoved: boolean
}

/** Lines without words are equal where those around them are alike. */
const EMPTY_LIKENESS = 0.3

function pairsOf(
  removed: readonly string[],
  added: readonly string[],
  { oldAt, newAt }: { oldAt: number; newAt: number },
  moves: LineMoves,
): Pair[] {
  const old = removed.map((text, at): Line => ({ text, isMoved: moves.to.has(oldAt + at) }))
  const now = added.map((text, at): Line => ({ text, isMoved: moves.from.has(newAt + at) }))
  const words = new Map<string, Set<string>>()
  for (const line of [...removed, ...added]) words.set(line, new Set(line.match(/[\p{L}\p{N}]+/gu)))
  return choosePairs(old, now, (left, right) => {
    if (left.isMoved || right.isMoved) return 0
    if (left.text === right.text) return EMPTY_LIKENESS
    const one = words.get(left.text) as Set<string>
    const other = words.get(right.text) as Set<string>
    let shared = 0
    for (const word of one) if (other.has(word)) shared++
    return (2 * shared) / (one.size + other.size || 1)
  })
}

const TOKEN = /[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu

function compareWords(before: string, after: string, output: Output): TextPart[] {
  output.wordChars -= before.length + after.length
  const parts = output.wordChars < 0 ? null : wordParts(before, after)
  return (
    parts ?? [
      { kind: 'removed', text: before },
      { kind: 'added', text: after },
    ]
  )
}

/** null when more was changed than is worth telling apart. */
function wordParts(before: string, after: string): TextPart[] | null {
  const oldTokens = before.match(TOKEN) ?? []
  const newTokens = after.match(TOKEN) ?? []
  const parts: TextPart[] = []
  let from = 0
  let to = 0
  let edits = 0
  for (const run of commonRuns(oldTokens, newTokens)) {
    const removed = oldTokens.slice(from, run.from)
    const added = newTokens.slice(to, run.to)
    edits += removed.length + added.length
    if (edits > WORD_EDITS_MAX) return null
    from = run.from + run.length
    to = run.to + run.length
    const same = oldTokens.slice(run.from, from)
    if (removed.length > 0) parts.push({ kind: 'removed', text: removed.join('') })
    if (added.length > 0) parts.push({ kind: 'added', text: added.join('') })
    if (same.length > 0) parts.push({ kind: 'same', text: same.join('') })
  }
  return parts
}
