import type { Hit } from '../../projections/search.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { keyOf, type Moment } from './at.ts'
import { makeCursor, readCursor } from './cursor.ts'
import { type Reader, viewerOf } from './reader.ts'
import { searchAhead } from './search-ahead.ts'
import { searchNow } from './search-now.ts'
import { type HitRange, searchPast } from './search-past.ts'

export const HITS_MAX = 50
export const HITS_DEFAULT = 20
/** Characters of what is searched for. */
export const WORDS_CHARS_MAX = 500

/** What is searched. */
export interface Asked {
  /** Words, "phrases", or, -without. */
  readonly words: string
  /** Only pages below it; null: everywhere. */
  readonly below: string | null
  /** With hidden pages, where the reader may edit them. */
  readonly hidden: boolean
}

/** A page that was found; `snippet` is HTML that is safe to show: text, and `<mark>` around what was found. */
export type Found = Hit

/**
 * Live pages that a reader may view and that have some words, best first, a part at a time; as of another time as `searchPast` and
 * `searchAhead` find them.
 *
 * @throws CURSOR_INVALID when `after` is not of this search
 */
export async function searchPages(
  site: Site,
  reader: Reader,
  asked: Asked,
  part: { limit: number; after: string | null; when: Moment | null },
): Promise<{ items: Found[]; next: string | null }> {
  const viewer = await viewerOf(site, reader)
  const { when } = part
  const list = when === null ? asked : { ...asked, when: keyOf(when) }
  const keys = part.after === null ? null : readCursor(list, part.after, ['number', 'string'])
  const after = keys && { score: Number(keys[0]), path: String(keys[1]) }
  const hits = await hitsAt(site, viewer, asked, { when, limit: part.limit + 1, after })
  const items = hits.slice(0, part.limit)
  const last = items.at(-1)
  const more = hits.length > part.limit && last !== undefined
  return {
    items: items.map(hit => ({ ...hit, snippet: markedUp(hit.snippet) })),
    next: more ? makeCursor(list, [last.score, last.path]) : null,
  }
}

async function hitsAt(
  site: Site,
  viewer: Viewer,
  asked: Asked,
  { when, ...range }: HitRange & { readonly when: Moment | null },
): Promise<Hit[]> {
  if (when === null) return searchNow(site, viewer, asked, range)
  if ('position' in when) {
    return searchPast(site, viewer, asked, { ...range, position: when.position })
  }
  return searchAhead(site, viewer, asked, { ...range, when })
}

/** Nothing of the text is markup; what was found stands between two characters that no text has. */
function markedUp(snippet: string): string {
  return snippet
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\u0002', '<mark>')
    .replaceAll('\u0003', '</mark>')
}
