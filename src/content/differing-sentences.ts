import { fromSegments } from '../codec/segments.ts'
import { documentFrom, type JsonObject, type Stored } from './document.ts'
import { BODY_CHARS_MAX, proseOfBlock } from './prose.ts'
import { sentencesIn, sentencesOf, sentencesOfSummary } from './sentences.ts'
import { type StoredBlock, storedBlocksOf } from './text-blocks.ts'

/** The sentences of each of two documents; as many of each as is left out of both. */
export type Sentences = readonly [before: readonly string[], after: readonly string[]]

/**
 * The sentences of two documents without most of those that both have, for whoever counts what differs. Mostly a save changes a line of a
 * long text, and then nothing but the lines around it is looked at.
 */
export function differingSentences(before: Stored, after: Stored): Sentences {
  const bodies = differingBodies(storedBlocksOf(before), storedBlocksOf(after))
  if (bodies === null) return [sentencesIn(documentFrom(before)), sentencesIn(documentFrom(after))]
  const [was, is] = bodies.map(sentencesOf) as [string[], string[]]
  const [old, now] = [summaryOf(before), summaryOf(after)]
  return old === now
    ? [was, is]
    : [
        [...saidBy(old), ...was],
        [...saidBy(now), ...is],
      ]
}

function summaryOf(stored: Stored): JsonObject {
  return (stored as { summary: JsonObject }).summary
}

function saidBy(summary: JsonObject): readonly string[] {
  return sentencesOfSummary(fromSegments(summary) as JsonObject)
}

/** The words of the part of each of two bodies that differs, between ends of sentences; null where such are not known. */
function differingBodies(
  before: readonly StoredBlock[],
  after: readonly StoredBlock[],
): [string, string] | null {
  if (before.length !== after.length || !isShort(before) || !isShort(after)) return null
  const index = before.findIndex((was, at) => !isSame(was, after[at]))
  if (index < 0) return ['', '']
  const [was, is] = [before[index] as StoredBlock, after[index] as StoredBlock]
  if (was.format !== is.format) return null
  for (let at = index + 1; at < before.length; at++) {
    if (!isSame(before[at] as StoredBlock, after[at])) return null
  }
  const differing = withoutCommonEnds(was.pieces, is.pieces)
  if (differing === null) return null
  const { texts, isFromStart, isToEnd } = differing
  const isOpen = (isFromStart && index > 0) || (isToEnd && index < before.length - 1)
  if (isOpen) return null // a sentence may go on from one block into another
  const wordsOf = (source: string) => {
    const words = proseOfBlock({ format: was.format, source })
    return isToEnd ? words : `${words} `
  }
  return [wordsOf(texts[0]), wordsOf(texts[1])]
}

function isSame(was: StoredBlock, is: StoredBlock | undefined): boolean {
  if (was.format !== is?.format || was.pieces.length !== is.pieces.length) return false
  return was.pieces === is.pieces || was.pieces.every((piece, index) => piece === is.pieces[index])
}

/** Whether nothing of them is cut off. */
function isShort(blocks: readonly StoredBlock[]): boolean {
  let chars = 0
  for (const { pieces } of blocks) {
    chars++
    for (const piece of pieces) chars += piece.length
  }
  return chars <= BODY_CHARS_MAX
}

/** What is left of two texts. */
interface Differing {
  readonly texts: readonly [string, string]
  /** Whether nothing was left out at their beginnings, or at their ends. */
  readonly isFromStart: boolean
  readonly isToEnd: boolean
}

/**
 * Two texts without the pieces, and then without the characters, that they begin and end with alike; null where a line's words do not follow
 * from the line alone.
 */
function withoutCommonEnds(one: readonly string[], other: readonly string[]): Differing | null {
  const shorter = Math.min(one.length, other.length)
  let first = 0
  while (first < shorter && one[first] === other[first]) first++
  let last = 0
  while (last < shorter - first && one.at(-1 - last) === other.at(-1 - last)) last++
  if (!areOfLines(one, other, { first, last })) return null
  while (first > 0 && !(isCut(one, first) && isCut(other, first))) first--
  while (last > 0 && !(isCut(one, one.length - last) && isCut(other, other.length - last))) last--
  const was = one.slice(first, one.length - last).join('')
  const is = other.slice(first, other.length - last).join('')
  const { from, alike } = commonEnds(was, is)
  return {
    texts: [was.slice(from, was.length - alike), is.slice(from, is.length - alike)],
    isFromStart: first + from === 0,
    isToEnd: last + alike === 0,
  }
}

/** What markup begins with that goes on beyond its line, or is told apart by what stands elsewhere; such marks may stand in two pieces. */
const BEYOND_LINES = /[<&[]|```|~~~|[`~]$/
/** What was looked at last and had none: the text after an event is the one before the next. */
let ofLines: readonly string[] | null = null

/** Whether a line's words follow from the line alone, in both of two texts that have their first and last pieces in common. */
function areOfLines(
  one: readonly string[],
  other: readonly string[],
  { first, last }: { first: number; last: number },
): boolean {
  if (one !== ofLines && one.some(isBeyondLines)) return false
  for (let at = first; at < other.length - last; at++) {
    if (isBeyondLines(other[at] as string)) return false
  }
  ofLines = other
  return true
}

function isBeyondLines(piece: string): boolean {
  return BEYOND_LINES.test(piece)
}

/** Whether a sentence ends with the piece before a place, and a word begins there. */
function isCut(pieces: readonly string[], at: number): boolean {
  const [before = '', after = ''] = [pieces[at - 1], pieces[at]]
  return isEnd(before, before.length) && STARTS.test(after.charAt(0))
}

/**
 * What two texts begin and end with alike: `from` characters from the start and `alike` from the end, each 0 or up to where surely one
 * sentence ends and another begins, in both.
 */
function commonEnds(one: string, other: string): { from: number; alike: number } {
  if (isLine(one) && isLine(other)) return { from: 0, alike: 0 }
  const shorter = Math.min(one.length, other.length)
  let from = 0
  while (
    from + PIECE_CHARS <= shorter &&
    one.slice(from, from + PIECE_CHARS) === other.slice(from, from + PIECE_CHARS)
  )
    from += PIECE_CHARS
  while (from < shorter && one.charCodeAt(from) === other.charCodeAt(from)) from++
  do from--
  while (from > 0 && !isBetween(one, from))
  from = Math.max(from, 0)
  let alike = 0
  const [last, otherLast] = [one.length - 1, other.length - 1]
  while (
    alike + PIECE_CHARS <= shorter - from &&
    one.slice(one.length - alike - PIECE_CHARS, one.length - alike) ===
      other.slice(other.length - alike - PIECE_CHARS, other.length - alike)
  )
    alike += PIECE_CHARS
  while (
    alike < shorter - from &&
    one.charCodeAt(last - alike) === other.charCodeAt(otherLast - alike)
  )
    alike++
  alike -= END_CHARS
  while (alike > 0 && !isBetween(one, one.length - alike)) alike--
  return { from, alike: Math.max(alike, 0) }
}

function isLine(text: string): boolean {
  const end = text.indexOf('\n')
  return end < 0 || end === text.length - 1
}

/** Compared at once: one by one takes much longer. */
const PIECE_CHARS = 64
/** The sign that ends a sentence and the end of its line. */
const END_CHARS = 2
const ENDS = '.!?…'
const STARTS = /[\p{L}\p{N}]/u

/** Whether a sentence ends with the line before a place, and a word begins there. */
function isBetween(text: string, at: number): boolean {
  return isEnd(text, at) && STARTS.test(text.charAt(at))
}

/** Whether a sentence ends with the line before a place. */
function isEnd(text: string, at: number): boolean {
  return (
    at >= END_CHARS &&
    text.charCodeAt(at - 1) === 0x0a &&
    ENDS.includes(text.charAt(at - END_CHARS))
  )
}
