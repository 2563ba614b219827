import { type Hit, listHits } from '../../projections/search.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import type { Asked } from './search.ts'
import type { HitRange } from './search-past.ts'

/** Live pages with some words that a viewer may view, best first. */
export function searchNow(
  { db }: Site,
  viewer: Viewer,
  { words, below, hidden }: Asked,
  { limit, after }: HitRange,
): Promise<Hit[]> {
  return listHits(db, {
    ...{ words, below, limit, after },
    viewed: viewer.pathsWith('view') ?? '',
    hiddenToo: hidden ? (viewer.pathsWith('post.edit') ?? '') : null,
  })
}
