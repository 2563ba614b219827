import { type Hit, listMatches } from '../../projections/search.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { isUnder } from '../content/path.ts'
import { proseOf } from '../content/prose.ts'
import type { AtAhead } from './at.ts'
import { listPlanned, readPlannedDocuments } from './planned.ts'
import type { Asked } from './search.ts'
import { searchNow } from './search-now.ts'
import { type HitRange, within } from './search-past.ts'

/** Pages that will have some words by a time ahead: those of today, with what is scheduled in the place of what it will replace. */
export async function searchAhead(
  site: Site,
  viewer: Viewer,
  asked: Asked,
  { when, ...range }: HitRange & { readonly when: AtAhead },
): Promise<Hit[]> {
  const planned = await listPlanned(site, viewer, when)
  const { below, hidden } = asked
  const counted = planned.filter(
    page =>
      (below === null || (page.path !== below && isUnder(page.path, below))) &&
      (!page.hidden || (hidden && viewer.may('post.edit', page.path))),
  )
  const texts = await readPlannedDocuments(site, counted, ({ page, document }) => {
    const { entityId, path, title, proto, modified } = page
    return { ...{ entityId, path, proto, modified }, ...proseOf(document), title }
  })
  const limit = range.limit + planned.length
  const [today, ahead] = await Promise.all([
    searchNow(site, viewer, asked, { ...range, limit }),
    listMatches(site.db, asked.words, texts),
  ])
  const replaced = new Set(planned.map(({ entityId }) => entityId))
  const stay = today.filter(({ entityId }) => !replaced.has(entityId))
  return within([...stay, ...ahead].sort(byScore), range)
}

function byScore(one: Hit, other: Hit): number {
  return other.score - one.score || (one.path < other.path ? -1 : 1)
}
