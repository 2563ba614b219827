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
  let count = 0
  for (const [sentence, difference] of differences(before, after)) {
    if (difference !== 0) count = addHashes(sentence, count)
  }
  const sorted = found.subarray(0, count).sort()
  const distinct: number[] = []
  for (let index = 0; index < count; index++) {
    const hash = sorted[index] as number
    if (hash !== sorted[index - 1]) distinct.push(hash)
  }
  return distinct
}

/** Hashes that were found: numbers of this kind are sorted without a comparison to be called, and used again they cost nothing to make. */
let found = new Int32Array(1_024)

/** How many times more one has each sentence than the other, of those that are not in both. */
function differences(before: Stored | null, after: Stored | null): Map<string, number> {
  const [old, now] =
    before === null || after === null
      ? [saidBy(before), saidBy(after)]
      : differingSentences(before, after)
  const counts = new Map<string, number>()
  for (const sentence of old) counts.set(sentence, (counts.get(sentence) ?? 0) - 1)
  for (const sentence of now) counts.set(sentence, (counts.get(sentence) ?? 0) + 1)
  return counts
}

function saidBy(stored: Stored | null): readonly string[] {
  return stored === null ? [] : sentencesIn(documentFrom(stored))
}

const FNV_START = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** The hash of a word: FNV-1a, signed. */
export function hashOf(word: string): number {
  let hash = FNV_START
  for (let index = 0; index < word.length; index++) {
    hash = Math.imul(hash ^ word.charCodeAt(index), FNV_PRIME)
  }
  return hash | 0
}

/** Of each letter and digit of ASCII the one that it is compared as, 0 of its other signs. */
const ASCII_WORD = Uint8Array.from({ length: 128 }, (_, code) => {
  const sign = String.fromCharCode(code)
  return /[a-z0-9]/i.test(sign) ? sign.toLowerCase().charCodeAt(0) : 0
})

/**
 * Puts the hashes of a text's words behind those that were found. Without making words of it, as long as it is ASCII: a fold does this with
 * every save there ever was.
 *
 * @returns how many there are then
 */
function addHashes(text: string, before: number): number {
  if (found.length < before + text.length) reserve(before + text.length)
  let count = before
  let hash = FNV_START
  let isInWord = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code >= ASCII_WORD.length) return addHashesOf(wordsOf(text), before)
    const sign = ASCII_WORD[code] as number
    if (sign !== 0) hash = Math.imul(hash ^ sign, FNV_PRIME)
    else if (isInWord) {
      found[count++] = hash
      hash = FNV_START
    }
    isInWord = sign !== 0
  }
  if (isInWord) found[count++] = hash
  return count
}

function addHashesOf(words: readonly string[], before: number): number {
  reserve(before + words.length) // compatibility forms of one sign may be many
  words.forEach((word, index) => {
    found[before + index] = hashOf(word)
  })
  return before + words.length
}

function reserve(count: number): void {
  if (count <= found.length) return
  const larger = new Int32Array(2 * count)
  larger.set(found)
  found = larger
}
