import {
  findShownEntity,
  findStub,
  listLastPaths,
  pathAtRevision,
  type Shown,
  shownAt,
} from '../../projections/page-history.ts'
import { denied, type Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { type Foldable, foldableAt, readRevision, revisionOf } from '../commands/states.ts'
import { documentFrom } from '../content/document.ts'
import type { Entity } from '../content/state.ts'
import { Rm3Error } from '../errors.ts'
import type { Db } from '../pg/db.ts'
import { gathered } from '../pg/gathered.ts'
import {
  ASKED_POSITION,
  type Asked,
  type AtPosition,
  lookedUp,
  MOMENT,
  type MomentRow,
  QUESTION,
  QUESTION_NAMES,
} from './at.ts'
import { erasedError } from './erased.ts'
import { findMementos, mementosIn, type NearRow, nearColumns } from './mementos.ts'
import { answerOfStub, type PageAnswer, recordOfDraft } from './page-answer.ts'
import { mayReadPast, type Reader } from './reader.ts'
import type { PageRecord } from './record.ts'
import { findSubjectAt, type Subject } from './subject.ts'

/** What was live at a path, with what its document is folded from unless readers see the same today; without an entity: nothing was. */
type ThereRow = MomentRow & { readonly rightsPosition: number } & (
    | { readonly entityId: null }
    | (Shown &
        (Today | (Foldable & { readonly data: null })) &
        NearRow & { readonly nowPath: string })
  )

/** Of the content as it is today. */
type Today = Pick<PageRecord, 'proto' | 'hidden' | 'summary' | 'data' | 'tags'>

/** A state may have 4 MB: this many of them are held in memory at once. */
const PAGES_AT_ONCE = 16
/** What is folded: nothing where the revision is the one of today. */
const FOLDED = `case when p.entity_id is null then s."entityId" end`
// "offset 0": or the search for the position is done once for each place where the statement names it
const THERE = `select ${MOMENT}, head.rights_position as "rightsPosition", s.*, coalesce(p.path, now.path) as "nowPath", f.body, f.events,
    p.proto, p.hidden, p.summary::text as summary, p.data::text as data, p.tags::text as tags, ${nearColumns('q.path', 'q.position', 's')}
  from log_head head cross join (
    select number, path, ${ASKED_POSITION} as position
    from rows from (json_to_recordset($1::json) as (path text, ${QUESTION}))
      with ordinality as asked(path, ${QUESTION_NAMES}, number) offset 0) q
  left join log l on l.position = q.position
  left join lateral (${shownAt('q.path', 'q.position')}) s on true
  left join pages p on p.entity_id = s."entityId" and p.revision = s.revision
  left join lateral (select path from page_history where entity_id = ${FOLDED} and from_position > 0
    order by from_position desc limit 1) now on true
  left join lateral (${foldableAt(FOLDED, 's.revision')}) f on true
  order by q.number`

/** One statement for all who ask at the same time. */
const findThere = gathered(PAGES_AT_ONCE, (db, keys) => db.rows<ThereRow>(THERE, [`[${keys}]`]))

/** As `readPageThen`, where the position is known. */
export async function readPagePast(
  site: Site,
  reader: Reader,
  path: string,
  { position }: AtPosition,
): Promise<PageAnswer> {
  return (await readPageThen(site, reader, path, { position })).answer
}

/**
 * What was at a path, for a viewer who has `view` and `history` on that path (see `readPage`), and at which position: both are looked up in
 * one statement.
 *
 * @throws LOGIN_REQUIRED or PERMISSION_DENIED without `history` on a path that may be viewed; ERASED; AT_INVALID
 */
export async function readPageThen(
  site: Site,
  reader: Reader,
  path: string,
  asked: Asked,
): Promise<{ at: AtPosition; answer: PageAnswer }> {
  const { at, row } = await lookedUp(site.db, asked, question =>
    findThere(site.db, JSON.stringify({ path, ...question })),
  )
  const viewer = reader ?? (await site.rights.viewer(site.db, row.rightsPosition, null))
  return { at, answer: await answerOf(site, viewer, path, { at, row }) }
}

async function answerOf(
  site: Site,
  viewer: Viewer,
  path: string,
  { at, row }: { at: AtPosition; row: ThereRow },
): Promise<PageAnswer> {
  if (!viewer.may('view', path)) return { type: 'absent', viewer }
  if (!viewer.may('history', path)) throw denied(viewer, 'history', path)
  if (row.entityId === null) return pastStub(site, viewer, path, at)
  if (!mayReadPast(viewer, [row.nowPath])) return { type: 'absent', viewer }
  const page = recordShown(row, row.data === null ? await contentThen(site.db, row) : row)
  const { position, recordedAt } = at
  const range = { position, since: row.fromPosition }
  const mementos = mementosIn(row.entityId, row) ?? (await findMementos(site, viewer, path, range))
  const etag = `${page.revisionId}.${page.position}`
  return { type: 'page', page, etag, position, recordedAt, viewer, mementos }
}

async function contentThen(db: Db, row: Shown & Foldable): Promise<Today> {
  const { entityId: stream, revision } = row
  const found = await revisionOf(db, { stream, revision }, row)
  if (found === null) throw new Error(`page_history shows ${stream}, which has no events`)
  const { proto, hidden, summary, data, tags } = documentFrom((found.state as Entity).tip)
  return {
    ...{ proto, hidden, summary: JSON.stringify(summary) },
    ...{ data: JSON.stringify(data), tags: JSON.stringify(tags) },
  }
}

async function pastStub(
  site: Site,
  viewer: Viewer,
  path: string,
  at: AtPosition,
): Promise<PageAnswer> {
  const stub = await findStub(site.db, path, at.position)
  const now = stub === null ? null : await findShownEntity(site.db, stub.entityId)
  const paths = [path, stub?.path ?? path, now?.path ?? path]
  if (!mayReadPast(viewer, paths)) return { type: 'absent', viewer }
  if (stub?.state === 'erased' && stub.path === path) {
    throw await erasedError(site.db, { ...stub, path })
  }
  return answerOfStub(viewer, path, stub)
}

/** The page that `Shown` says was shown. */
function recordShown(shown: Shown, { proto, hidden, summary, data, tags }: Today): PageRecord {
  const { entityId, path, revision, revisionId, number, created, modified, touched, author } = shown
  return {
    ...{ entityId, path, position: shown.fromPosition, revision, revisionId, number },
    ...{ proto, hidden, created, modified, touched, author, summary, data, tags },
  }
}

/** A revision with its document. */
export interface RevisionState {
  readonly entity: Entity
  readonly event: RevisionEvent
}

interface RevisionEvent {
  readonly eventId: string
  readonly position: number
  readonly type: string
  readonly at: string
  readonly actor: string
  readonly recordedAt: string
}

const WAS_SHOWN = `select from published_drafts where entity_id = $1::uuid and revision = $2::int`

/**
 * An entity as it was at one revision, when the viewer may read it: `view` and `history` on the path it had then and on the
 * one it has now, and `viewdraft` for a draft that never went live.
 *
 * @param foldable what `findSubjectAt` has read of it already; null: it is read here
 * @returns null when there is no such revision, or it may not be read
 * @throws ERASED
 */
export async function findRevisionState(
  db: Db,
  viewer: Viewer,
  subject: Subject,
  { revision, foldable = null }: { revision: number; foldable?: Foldable | null },
): Promise<RevisionState | null> {
  const pathThen = pathAtRevision(subject.former, revision, subject.path)
  if (!mayReadPast(viewer, [subject.path, pathThen])) return null
  const found =
    foldable === null
      ? await readRevision(db, subject.id, revision)
      : await revisionOf(db, { stream: subject.id, revision }, foldable)
  if (found?.state.kind !== 'entity') return null
  const { state: entity, event } = found
  if (entity.live?.revision !== entity.tipRevision && !viewer.may('viewdraft', pathThen)) {
    const shown = await db.rows(WAS_SHOWN, [subject.id, entity.tipRevision])
    if (shown.length === 0) return null
  }
  if (entity.tipErased !== undefined) {
    const { id: entityId, tipRevision } = entity
    throw await erasedError(db, { entityId, revision: tipRevision, path: pathThen })
  }
  return { entity, event }
}

/** A revision of the page at a path. @throws REVISION_NOT_FOUND, ERASED, and as `findSubjectAt` */
export async function readRevisionAt(
  site: Site,
  reader: Reader,
  path: string,
  revision: number,
): Promise<PageAnswer> {
  const { viewer, subject, foldable } = await findSubjectAt(site, reader, path, revision)
  if (subject === null) return { type: 'absent', viewer }
  const found = await findRevisionState(site.db, viewer, subject, { revision, foldable })
  if (found === null) throw noRevision(path, revision)
  const { event } = found
  return {
    type: 'page',
    page: recordAtRevision(found),
    etag: event.eventId,
    position: event.position,
    recordedAt: event.recordedAt,
    viewer,
  }
}

/** The record that a revision would be: its content, under the path it had then. */
export function recordAtRevision({ entity, event }: RevisionState): PageRecord {
  const draft = recordOfDraft(entity, event)
  const { live } = entity
  if (live === null || live.revision !== entity.tipRevision) return draft
  const { draft: _, ...record } = draft
  const { number, modified, touched, author } = live
  return { ...record, number, modified, touched, author, revisionId: live.revisionId }
}

/** What is thrown for a revision that is not there or may not be read. */
export function noRevision(path: string, revision: number): Rm3Error {
  return new Rm3Error('REVISION_NOT_FOUND', `${path} has no revision ${revision}`, {
    path,
    revision,
  })
}

/** The last path of each entity; entities that are no pages are not in it. */
export async function lastPaths(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await listLastPaths(db, ids)
  return new Map(rows.map(({ entityId, path }) => [entityId, path]))
}
