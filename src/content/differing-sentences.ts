import type { Document } from './document.ts'
import { BODY_CHARS_MAX, proseOfBlock } from './prose.ts'
import { sentencesIn, sentencesOf } from './sentences.ts'
import { type TextBlock, textBlocksOf } from './text-blocks.ts'

/** The sentences of each of two documents; as many of each as is left out of both. */
export type Sentences = readonly [before: readonly string[], after: readonly string[]]

/**
 * The sentences of two documents without most of those that both have, for whoever counts what differs. Mostly a save changes a line of a
 * long text, and then nothing but the lines around it is looked at.
 */
export function differingSentences(before: Document, after: Document): Sentences {
  const bodies = differingBodies(textBlocksOf(before), textBlocksOf(after))
  if (bodies === null) return [sentencesIn(before), sentencesIn(after)]
  const [was, is] = bodies.map(sentencesOf) as [string[], string[]]
  if (before.summary === after.summary) return [was, is]
  return [
    [...sentencesIn({ ...before, data: {} }), ...was],
    [...sentencesIn({ ...after, data: {} }), ...is],
  ]
}

/** The words of the part of each of two bodies that differs, between ends of sentences; null where such are not known. */
function differingBodies(
  before: readonly TextBlock[],
  after: readonly TextBlock[],
): [string, string] | null {
  if (before.length !== after.length || !isShort(before) || !isShort(after)) return null
  const changed = before.flatMap((was, index) => (isSame(was, after[index]) ? [] : [index]))
  if (changed.length === 0) return ['', '']
  const [index = 0] = changed
  const [was, is] = [before[index] as TextBlock, after[index] as TextBlock]
  if (changed.length > 1 || was.format !== is.format || !isOfLines(was) || !isOfLines(is))
    return null
  const { from, alike } = commonEnds(was.source, is.source)
  const isOpen = (from === 0 && index > 0) || (alike === 0 && index < before.length - 1)
  if (isOpen) return null // a sentence may go on from one block into another
  const wordsBetween = ({ format, source }: TextBlock) => {
    const words = proseOfBlock({ format, source: source.slice(from, source.length - alike) })
    return alike === 0 ? words : `${words} `
  }
  return [wordsBetween(was), wordsBetween(is)]
}

function isSame(was: TextBlock, is: TextBlock | undefined): boolean {
  return was.source === is?.source && was.format === is.format
}

/** Whether nothing of them is cut off. */
function isShort(blocks: readonly TextBlock[]): boolean {
  return blocks.reduce((sum, { source }) => sum + source.length + 1, 0) <= BODY_CHARS_MAX
}

/** What markup begins with that goes on beyond its line, or is told apart by what stands elsewhere. */
const BEYOND_LINES = ['<', '&', '[', '```', '~~~']

/** Whether a line's words follow from the line alone. */
function isOfLines({ source }: TextBlock): boolean {
  return !BEYOND_LINES.some(mark => source.includes(mark))
}

/**
 * What two texts begin and end with alike: `from` characters from the start and `alike` from the end, each 0 or up to where surely one
 * sentence ends and another begins, in both.
 */
function commonEnds(one: string, other: string): { from: number; alike: number } {
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

/** Compared at once: one by one takes much longer. */
const PIECE_CHARS = 64
/** The sign that ends a sentence and the end of its line. */
const END_CHARS = 2
const ENDS = '.!?…'
const STARTS = /[\p{L}\p{N}]/u

/** Whether a sentence ends with the line before a place, and a word begins there. */
function isBetween(text: string, at: number): boolean {
  return (
    at >= END_CHARS &&
    text.charCodeAt(at - 1) === 0x0a &&
    ENDS.includes(text.charAt(at - END_CHARS)) &&
    STARTS.test(text.charAt(at))
  )
}
