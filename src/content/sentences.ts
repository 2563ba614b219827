import type { Document, JsonObject } from './document.ts'
import { proseOf } from './prose.ts'

const SENTENCE_END = /[.!?…]["'”’»)\]]*\s+|[。！？]/g

/** The sentences of a text without line breaks, as `proseOf` gives it; headings and the like go with the sentence behind them. */
export function sentencesOf(text: string): string[] {
  const sentences: string[] = []
  let from = 0
  SENTENCE_END.lastIndex = 0
  while (SENTENCE_END.test(text)) {
    sentences.push(text.slice(from, SENTENCE_END.lastIndex))
    from = SENTENCE_END.lastIndex
  }
  if (from < text.length) sentences.push(text.slice(from))
  return sentences
}

/** The sentences of a document's title and abstract. */
export function sentencesOfSummary(summary: JsonObject): readonly string[] {
  return sentencesIn({ proto: '', hidden: false, summary, data: {}, tags: {} })
}

/** All sentences of a document that readers see: its title, its abstract, its text. */
export function sentencesIn(document: Document): readonly string[] {
  const { title, abstract, body } = proseOf(document)
  return [...sentencesOf(title), ...sentencesOf(abstract), ...sentencesOf(body)]
}
