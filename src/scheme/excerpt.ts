import type { Piece } from './refine.ts'
import { plainText } from './tokens.ts'

/** Plain words of safe `markup`, shortened at a word to at most `lengthMax` characters, with … when there were more. */
export function excerpt(markup: string, lengthMax: number): string {
  const text = plainText(markup.slice(0, lengthMax * 20).replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim()
  if (text.length <= lengthMax) return text
  const cut = text.slice(0, lengthMax - 1)
  const space = cut.lastIndexOf(' ')
  return `${(space > lengthMax / 2 ? cut.slice(0, space) : cut).trimEnd()}…`
}

/** Plain words of a rendered text, for a search engine's or a preview's description. */
export function excerptOfPieces(pieces: readonly Piece[], lengthMax: number): string {
  const first = pieces.find(piece => piece.type === 'html')
  return first?.type === 'html' ? excerpt(first.markup, lengthMax) : ''
}
