import { findStub } from '../../projections/page-history.ts'
import { findPageAndHead, findUnpublishedId } from '../../projections/pages.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { readState } from '../commands/states.ts'
import type { Entity } from '../content/state.ts'
import { find } from '../pg/db.ts'
import type { At } from './at.ts'
import { answerOfStub, type PageAnswer, recordOfDraft } from './page-answer.ts'
import { findPageAhead } from './read-ahead.ts'
import { readPagePast, readRevisionAt } from './read-past.ts'
import type { Reader } from './reader.ts'

/**
 * What a reader finds at a path: now, or as of `at`.
 *
 * Now takes `view` on the path, one statement for readers without a session, and shows a page that has only drafts to those with
 * `viewdraft`. The past takes `view` and `history`, today, on the path that the page has now (or had last) and on the one it
 * had then. What lies ahead takes `view` and `viewdraft`.
 *
 * @param path as `parsePath` returns it
 * @throws REVISION_NOT_FOUND; ERASED; LOGIN_REQUIRED or PERMISSION_DENIED for the past of a path that may be viewed, without `history`
 */
export async function readPage(
  site: Site,
  reader: Reader,
  path: string,
  at: At | null = null,
): Promise<PageAnswer> {
  if (at !== null && 'revision' in at) return readRevisionAt(site, reader, path, at.revision)
  if (at !== null && 'position' in at) return readPagePast(site, reader, path, at)
  const { site: head, page } = await findPageAndHead(site.db, path)
  const viewer = reader ?? (await site.rights.viewer(site.db, head.rightsPosition, null))
  if (!viewer.may('view', path)) return { type: 'absent', viewer }
  const planned = at === null ? null : await findPageAhead(site, viewer, path, at)
  if (planned !== null) return planned
  if (page !== null) {
    const { sinceId: etag } = page
    const recordedAt = at?.ahead ?? null
    return { type: 'page', page, etag, position: head.head, recordedAt, viewer }
  }
  return (await readDraft(site, viewer, path, head.head)) ?? readStub(site, viewer, path)
}

async function readStub(site: Site, viewer: Viewer, path: string): Promise<PageAnswer> {
  return answerOfStub(viewer, path, await findStub(site.db, path))
}

const EVENT_OF = `select event_id as "eventId", position from log where stream = $1::uuid and revision = $2::int`

async function readDraft(
  site: Site,
  viewer: Viewer,
  path: string,
  position: number,
): Promise<PageAnswer | null> {
  if (!viewer.may('viewdraft', path)) return null
  const id = await findUnpublishedId(site.db, path)
  const entity = id === null ? null : ((await readState(site.db, id)) as Entity | null)
  if (entity === null || entity.state !== 'draft' || entity.path !== path) return null
  const event = await find<{ eventId: string; position: number }>(site.db, EVENT_OF, [
    entity.id,
    entity.tipRevision,
  ])
  if (event === null) return null
  const page = recordOfDraft(entity, event)
  return { type: 'page', page, etag: event.eventId, position, recordedAt: null, viewer }
}
