import { type Document, documentOf, type Stored } from './document.ts'
import { proseOf } from './prose.ts'

/** Words; a sign of a script that puts no spaces between them is a word by itself. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]|[\p{L}\p{M}\p{N}]+/gu
const SENTENCE_END = /[.!?…]["'”’»)\]]*\s+|[。！？]/g

/** The words of a text, as they are compared: without case, marks and spaces. */
export function wordsOf(text: string): string[] {
  return text.normalize('NFKC').toLowerCase().match(WORD) ?? []
}

/** The sentences of a text without line breaks, as `proseOf` gives it; headings and the like go with the sentence behind them. */
export function sentencesOf(text: string): string[] {
  const sentences: string[] = []
  let from = 0
  for (const { index, 0: end } of text.matchAll(SENTENCE_END)) {
    sentences.push(text.slice(from, index + end.length))
    from = index + end.length
  }
  if (from < text.length) sentences.push(text.slice(from))
  return sentences
}

const sentences = new WeakMap<Document, readonly string[]>()

/** All sentences of a document that readers see: its title, its abstract, its text. */
export function sentencesIn(document: Document): readonly string[] {
  let known = sentences.get(document)
  if (known === undefined) {
    const { title, abstract, body } = proseOf(document)
    known = [title, abstract, body].flatMap(sentencesOf)
    sentences.set(document, known)
  }
  return known
}

/**
 * Hashes (32 bits) of the words of the sentences that one of two documents has and the other has not, in rising order; [] where they
 * say the same.
 */
export function changedWords(before: Stored | null, after: Stored | null): number[] {
  const old = countsOf(before)
  const now = countsOf(after)
  const hashes = new Set<number>()
  for (const sentence of new Set([...old.keys(), ...now.keys()])) {
    if (old.get(sentence) === now.get(sentence)) continue
    for (const word of wordsOf(sentence)) hashes.add(hashOf(word))
  }
  return [...hashes].sort((a, b) => a - b)
}

function countsOf(stored: Stored | null): Map<string, number> {
  const counts = new Map<string, number>()
  if (stored === null) return counts
  for (const sentence of sentencesIn(documentOf(stored))) {
    counts.set(sentence, (counts.get(sentence) ?? 0) + 1)
  }
  return counts
}

/** The hash of a word: FNV-1a, signed. */
export function hashOf(word: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < word.length; index++) {
    hash = Math.imul(hash ^ word.charCodeAt(index), 0x01000193)
  }
  return hash | 0
}
