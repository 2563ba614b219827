import { type Hit, listCandidates, listMatches } from '../../projections/search.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { proseOf } from '../content/prose.ts'
import { readPagesThen } from './read-then.ts'
import type { Asked } from './search.ts'

/** Pages that are read to see what they said then. */
const CANDIDATES_MAX = 200

/**
 * Pages that had some words at a position, best first: of those that have any of the words today, the best `CANDIDATES_MAX` are read as they
 * were. A page that has none of them any more is not found.
 */
export async function searchPast(
  site: Site,
  viewer: Viewer,
  { words, below, hidden }: Asked,
  {
    position,
    limit,
    after,
  }: { position: number; limit: number; after: { score: number; path: string } | null },
): Promise<Hit[]> {
  const ids = await listCandidates(site.db, words, CANDIDATES_MAX)
  const pages = await readPagesThen(site, viewer, { ids, position }, { below, hidden })
  const texts = pages.map(({ document, fromPosition, ...page }) => {
    return { ...page, ...proseOf(document), title: page.title }
  })
  const hits = await listMatches(site.db, words, texts)
  const behind = ({ score, path }: Hit) =>
    after === null || score < after.score || (score === after.score && path > after.path)
  return hits.filter(behind).slice(0, limit)
}
