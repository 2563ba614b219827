import { findPublicationAt, type ScheduleRow } from '../../projections/schedules.ts'
import { absent, denied, type Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { readState } from '../commands/states.ts'
import { documentOf } from '../content/document.ts'
import type { Entity } from '../content/state.ts'
import type { AtAhead } from './at.ts'
import type { PageAnswer } from './page-answer.ts'
import type { PageRecord } from './record.ts'

/**
 * The last revision that is scheduled to go live at a path by an instant ahead; null: what is there now stays. For a viewer with `view`
 * on the path.
 *
 * @throws LOGIN_REQUIRED or PERMISSION_DENIED without `viewdraft`
 */
export async function findPageAhead(
  site: Site,
  viewer: Viewer,
  path: string,
  { ahead, head }: AtAhead,
): Promise<PageAnswer | null> {
  if (!viewer.may('viewdraft', path)) throw denied(viewer, 'viewdraft', path)
  const planned = await findPublicationAt(site.db, path, ahead)
  if (planned === null) return null
  const page = { ...(await recordAhead(site, planned, path)), position: head }
  const etag = `${page.revisionId}.${head}`
  return { type: 'page', page, etag, position: head, recordedAt: ahead, viewer }
}

/** The page that a publication will make. */
async function recordAhead(
  { db }: Site,
  { entityId, revision, revisionId, at, actor }: ScheduleRow,
  path: string,
): Promise<Omit<PageRecord, 'position'>> {
  const entity = (await readState(db, entityId, revision)) as Entity | null
  if (entity === null) throw absent(path)
  const { proto, hidden, summary, data, tags } = documentOf(entity.tip)
  return {
    ...{ entityId, path, revision, revisionId, number: revision, proto, hidden },
    ...{ created: entity.created, modified: at, touched: at, author: actor },
    summary: JSON.stringify(summary),
    data: JSON.stringify(data),
    tags: JSON.stringify(tags),
  }
}
