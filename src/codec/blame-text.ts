import type { Run } from './alignment.ts'
import { commonRuns } from './common-runs.ts'

/** `chars` characters of a text, and the revision that wrote them. */
export interface TextRun {
  readonly chars: number
  readonly revision: number
}

const TOKEN = /[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu
const WORD = /^[\p{L}\p{N}_]/u
/** A text that keeps less than this share of the words of another is not a version of it. */
const KEPT_MIN = 0.3
/** Changed stretches with more characters are not looked into for words. */
const WORDS_CHARS_MAX = 20_000

/** Shorter lines stand in many places by chance. */
const MOVED_CHARS_MIN = 12

/**
 * Who wrote `after`, given who wrote `before`: what both have keeps its writer, by lines, also where they moved, and in changed lines by
 * words; the rest is of `revision`.
 *
 * @param runs of `before`, in order; their characters add up to it
 */
export function carryText(
  before: string,
  runs: readonly TextRun[],
  after: string,
  revision: number,
): TextRun[] {
  const oldLines = before.split('\n')
  const newLines = after.split('\n')
  const { writers, ends } = runsOfLines(oldLines, runs)
  const common = commonRuns(oldLines, newLines)
  const moved = movedLines(oldLines, writers, common)
  const output: Output = { runs: [], revision, length: after.length, written: 0 }
  let from = 0
  let to = 0
  for (const run of common) {
    writeGap(
      { text: oldLines.slice(from, run.from).join('\n'), runs: writers.slice(from, run.from) },
      newLines.slice(to, run.to),
      { moved, output },
    )
    for (let index = run.from; index < run.from + run.length; index++) {
      writeLine(output, writers[index], ends[index])
    }
    from = run.from + run.length
    to = run.to + run.length
  }
  return output.runs
}

interface Output {
  readonly runs: TextRun[]
  readonly revision: number
  /** Of the text that is written, and so far. */
  readonly length: number
  written: number
}

/** The runs of each line, without its newline; who wrote that, where there is one. */
function runsOfLines(
  lines: readonly string[],
  runs: readonly TextRun[],
): { writers: TextRun[][]; ends: (number | undefined)[] } {
  const reader = new RunReader(runs)
  const ends: (number | undefined)[] = []
  const writers = lines.map(line => {
    const own = reader.take(line.length)
    ends.push(reader.take(1)[0]?.revision)
    return own
  })
  return { writers, ends }
}

/** Lines that went from where they were, with their writers: they may be somewhere else. */
function movedLines(
  lines: readonly string[],
  writers: readonly TextRun[][],
  common: readonly Run[],
): Map<string, TextRun[][]> {
  const moved = new Map<string, TextRun[][]>()
  let from = 0
  for (const run of common) {
    for (let index = from; index < run.from; index++) {
      const line = lines[index] as string
      if (line.length < MOVED_CHARS_MIN) continue
      moved.set(line, [...(moved.get(line) ?? []), writers[index] as TextRun[]])
    }
    from = run.from + run.length
  }
  return moved
}

/** New lines in the place of old ones: those that came from elsewhere, and between them changed ones. */
function writeGap(
  gone: { text: string; runs: readonly TextRun[][] },
  come: readonly string[],
  { moved, output }: { moved: ReadonlyMap<string, TextRun[][]>; output: Output },
): void {
  let fresh: string[] = []
  const flush = () => {
    if (fresh.length === 0) return
    const words: TextRun[] = []
    const change = { come: fresh.join('\n'), revision: output.revision }
    carryWords(gone.text, joined(gone.runs), change, words)
    writeLine(output, words)
    fresh = []
  }
  for (const line of come) {
    const writers = moved.get(line)?.shift()
    if (writers === undefined) fresh.push(line)
    else {
      flush()
      writeLine(output, writers)
    }
  }
  flush()
}

/** The newline behind a line is whose its end is; behind an empty one, whose it was. */
function writeLine(output: Output, runs: readonly TextRun[] = [], end?: number): void {
  for (const run of runs) push(output.runs, run)
  for (const { chars } of runs) output.written += chars
  if (output.written === output.length) return
  push(output.runs, { chars: 1, revision: runs.at(-1)?.revision ?? end ?? output.revision })
  output.written++
}

/** Lines' runs with the newlines between them. */
function joined(lines: readonly TextRun[][]): TextRun[] {
  const runs: TextRun[] = []
  lines.forEach((line, index) => {
    if (index > 0) push(runs, { chars: 1, revision: runs.at(-1)?.revision ?? 0 })
    for (const run of line) push(runs, run)
  })
  return runs
}

function carryWords(
  gone: string,
  runs: readonly TextRun[],
  { come, revision }: { come: string; revision: number },
  output: TextRun[],
): void {
  if (come === '') return
  const isSmall = gone.length + come.length <= WORDS_CHARS_MAX
  const oldTokens = isSmall ? (gone.match(TOKEN) ?? []) : []
  const newTokens = isSmall ? (come.match(TOKEN) ?? []) : []
  const common = commonRuns(oldTokens, newTokens)
  const kept = common.flatMap(run => oldTokens.slice(run.from, run.from + run.length))
  if (wordChars(kept) < KEPT_MIN * wordChars(newTokens) || kept.length === 0) {
    push(output, { chars: come.length, revision })
    return
  }
  const reader = new RunReader(runs)
  let from = 0
  let to = 0
  for (const run of common) {
    reader.take(charsOf(oldTokens, from, run.from))
    push(output, { chars: charsOf(newTokens, to, run.to), revision })
    from = run.from + run.length
    to = run.to + run.length
    for (const one of reader.take(charsOf(oldTokens, run.from, from))) push(output, one)
  }
}

/** Gives out the runs of a text from its beginning on. */
export class RunReader {
  readonly #runs: readonly TextRun[]
  #index = 0
  #used = 0

  constructor(runs: readonly TextRun[]) {
    this.#runs = runs
  }

  /** The runs of the next so many characters. */
  take(chars: number): TextRun[] {
    const taken: TextRun[] = []
    let left = chars
    while (left > 0) {
      const run = this.#runs[this.#index]
      if (run === undefined) break
      const some = Math.min(left, run.chars - this.#used)
      push(taken, { chars: some, revision: run.revision })
      left -= some
      this.#used += some
      if (this.#used < run.chars) break
      this.#index++
      this.#used = 0
    }
    return taken
  }
}

function push(runs: TextRun[], run: TextRun): void {
  if (run.chars === 0) return
  const last = runs.at(-1)
  if (last?.revision === run.revision) {
    runs[runs.length - 1] = { chars: last.chars + run.chars, revision: run.revision }
  } else runs.push(run)
}

function charsOf(tokens: readonly string[], from: number, until: number): number {
  let chars = 0
  for (let index = from; index < until; index++) chars += (tokens[index] as string).length
  return chars
}

function wordChars(tokens: readonly string[]): number {
  return tokens.reduce((sum, token) => sum + (WORD.test(token) ? token.length : 0), 0)
}
