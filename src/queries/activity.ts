import { type Deed, type DeedFilter, listDeeds } from '../../projections/activity.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { SITE_PATH } from '../content/path.ts'
import { FOREVER } from '../projector/define.ts'
import { makeCursor, readCursor } from './cursor.ts'

export const DEEDS_MAX = 200
export const DEEDS_DEFAULT = 50
/** Events that one look goes through. */
const LOOKED_MAX = 5_000

/** A deed without what only the list of changes tells. */
export type Activity = Omit<Deed, 'was' | 'now' | 'title' | 'part'>

function activityOf({ was, now, title, part, ...activity }: Deed): Activity {
  return activity
}

/**
 * What was done on the site, newest first, as far as a viewer may hear of it: by the rules of the feed of the log (`readFeed`), and of
 * an entity that was never live only with `viewdraft`. A part may have fewer than `limit` although more follow.
 *
 * @param asked `actor`: a user's entity id or a fixed actor; `path`: where it was done; `until`: only up to that position
 * @throws CURSOR_INVALID when `after` is not of this list
 */
export async function readActivity(
  site: Site,
  viewer: Viewer,
  asked: { actor: string | null; path: string | null; until: number | null },
  part: { limit: number; after: string | null },
): Promise<{ items: Activity[]; next: string | null }> {
  const keys = part.after === null ? null : readCursor(asked, part.after, ['number'])
  const { until, ...chosen } = asked
  const before = Number(keys?.[0] ?? (until === null ? FOREVER : until + 1))
  const { deeds, bound } = await listDeeds(
    site.db,
    { ...chosen, under: null, type: null, ...hearingOf(viewer) },
    { since: 0, before, looked: LOOKED_MAX, limit: part.limit + 1 },
  )
  const items = deeds.slice(0, part.limit).map(activityOf)
  const last = deeds.length > part.limit ? items.at(-1)?.position : bound
  return { items, next: last === null || last === undefined ? null : makeCursor(asked, [last]) }
}

/** What a viewer may hear of. */
export function hearingOf(
  viewer: Viewer,
): Pick<DeedFilter, 'viewed' | 'history' | 'drafts' | 'accounts' | 'site' | 'userId'> {
  return {
    viewed: viewer.pathsWith('view') ?? '',
    history: viewer.pathsWith('history') ?? '',
    drafts: viewer.pathsWith('viewdraft') ?? '',
    accounts: viewer.pathsWith('user.edit') ?? '',
    site: viewer.may('grant', SITE_PATH),
    userId: viewer.userId,
  }
}
