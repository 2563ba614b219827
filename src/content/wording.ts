import { differingSentences } from './differing-sentences.ts'
import { documentFrom, type Stored } from './document.ts'
import { sentencesIn } from './sentences.ts'

/** Words; a sign of a script that puts no spaces between them is a word by itself. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]|[\p{L}\p{M}\p{N}]+/gu

/** The words of a text, as they are compared: without case, marks and spaces. */
export function wordsOf(text: string): string[] {
  return text.normalize('NFKC').toLowerCase().match(WORD) ?? []
}

/**
 * Hashes (32 bits) of the words of the sentences that one of two documents has and the other has not, in rising order; [] where they
 * say the same.
 */
export function changedWords(before: Stored | null, after: Stored | null): number[] {
  const hashes = new Set<number>()
  for (const [sentence, count] of differences(before, after)) {
    if (count !== 0) for (const word of wordsOf(sentence)) hashes.add(hashOf(word))
  }
  return [...hashes].sort((a, b) => a - b)
}

/** How many times more one has each sentence than the other, of those that are not in both. */
function differences(before: Stored | null, after: Stored | null): Map<string, number> {
  const [old, now] =
    before === null || after === null
      ? [saidBy(before), saidBy(after)]
      : differingSentences(documentFrom(before), documentFrom(after))
  const counts = new Map<string, number>()
  for (const sentence of old) counts.set(sentence, (counts.get(sentence) ?? 0) - 1)
  for (const sentence of now) counts.set(sentence, (counts.get(sentence) ?? 0) + 1)
  return counts
}

function saidBy(stored: Stored | null): readonly string[] {
  return stored === null ? [] : sentencesIn(documentFrom(stored))
}

/** The hash of a word: FNV-1a, signed. */
export function hashOf(word: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < word.length; index++) {
    hash = Math.imul(hash ^ word.charCodeAt(index), 0x01000193)
  }
  return hash | 0
}
