import { LRUCache } from 'lru-cache'
import { renderBlock, renderComment, renderShort } from './blocks.ts'
import type { Piece, TextPlace } from './refine.ts'

/** Characters of sources and results kept, all together (two bytes each at most). */
const REMEMBERED_MAX = 8_000_000

/** Rendering of texts, each remembered by its source and place, so that a view seldom parses anything. */
export interface Texts {
  /** As `renderBlock`. */
  block(block: unknown, name: string, place: TextPlace): readonly Piece[]
  /** As `renderComment`. */
  comment(source: string, linkQuery: string): string
  /** As `renderShort`. */
  short(source: string, linkQuery: string): string
}

/** Texts with a memory of their own. The results depend on nothing but the arguments. */
export function createTexts(): Texts {
  const blocks = new LRUCache<string, readonly Piece[]>({
    maxSize: REMEMBERED_MAX,
    sizeCalculation: (pieces, key) => key.length + pieces.reduce(addLength, 100),
  })
  const shorts = new LRUCache<string, string>({
    maxSize: REMEMBERED_MAX / 4,
    sizeCalculation: (markup, key) => key.length + markup.length + 100,
  })
  const remember = (key: string, make: () => string): string => {
    const known = shorts.get(key)
    if (known !== undefined) return known
    const made = make()
    shorts.set(key, made)
    return made
  }
  return {
    block(block, name, place) {
      if (block === undefined || block === null) return []
      const key = JSON.stringify([block, name, place])
      const known = blocks.get(key)
      if (known) return known
      const made = renderBlock(block, name, place)
      blocks.set(key, made)
      return made
    },
    comment: (source, linkQuery) =>
      remember(`c ${linkQuery} ${source}`, () => renderComment(source, linkQuery)),
    short: (source, linkQuery) =>
      /[<&]/.test(source)
        ? remember(`s ${linkQuery} ${source}`, () => renderShort(source, linkQuery))
        : renderShort(source, linkQuery),
  }
}

function addLength(sum: number, piece: Piece): number {
  return sum + (piece.type === 'html' ? piece.markup.length : 200)
}
