import { type Hit, listCandidates, listMatches, listSought } from '../../projections/search.ts'
import { listRewordedAfter } from '../../projections/wordings.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { proseOf } from '../content/prose.ts'
import { hashOf, wordsOf } from '../content/wording.ts'
import type { Db } from '../pg/db.ts'
import { readPagesThen } from './read-then.ts'
import type { Asked } from './search.ts'

/** Pages looked for in each way; whether their past may be read is asked of these. */
const CANDIDATES_MAX = 1_000
/** Changes looked through for pages that lost the words. */
const CHANGES_MAX = 5_000
/** Pages that are read to see what they said then. */
const READ_MAX = 200

/** Where a part of what is found begins and ends. */
export interface HitRange {
  readonly limit: number
  /** The last hit of the part before. */
  readonly after: { readonly score: number; readonly path: string } | null
}

/**
 * Pages that had some words at a position, best first. What a page said then it says today, or some change since took it away: so pages
 * are looked for that have any of the words today, and those that a change since then brought any of them to or took it from. The best
 * `READ_MAX` of both are read as they were.
 *
 * Words that are gone are found as they are asked for, and by their stem, not in all their forms.
 */
export async function searchPast(
  site: Site,
  viewer: Viewer,
  { words, below, hidden }: Asked,
  { position, ...range }: HitRange & { readonly position: number },
): Promise<Hit[]> {
  const [today, since] = await Promise.all([
    listCandidates(site.db, words, CANDIDATES_MAX),
    listReworded(site.db, words, position),
  ])
  const ids = [...new Set(today.flatMap((id, index) => [id, since[index] ?? id]).concat(since))]
  const pages = await readPagesThen(
    site,
    viewer,
    { ids, position, limit: READ_MAX },
    { below, hidden },
  )
  const texts = pages.map(({ document, fromPosition, ...page }) => {
    return { ...page, ...proseOf(document), title: page.title }
  })
  return within(await listMatches(site.db, words, texts), range)
}

async function listReworded(db: Db, words: string, position: number): Promise<string[]> {
  const sought = await listSought(db, words, [...new Set(wordsOf(words))])
  const hashes = [...new Set(sought.flatMap(wordsOf).map(hashOf))]
  if (hashes.length === 0) return []
  return listRewordedAfter(db, hashes, { position, looked: CHANGES_MAX, limit: CANDIDATES_MAX })
}

/** A part of hits that are in their order. */
export function within(hits: readonly Hit[], { limit, after }: HitRange): Hit[] {
  const isBehind = ({ score, path }: Hit) =>
    after === null || score < after.score || (score === after.score && path > after.path)
  return hits.filter(isBehind).slice(0, limit)
}
