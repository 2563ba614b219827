import {
  type FormerPath,
  findDeletedId,
  findShown,
  listFormerPaths,
  listLastPaths,
} from '../../projections/page-history.ts'
import { findDeletedDraftId, findUnpublishedId } from '../../projections/pages.ts'
import { absent, denied, type Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { type Foldable, foldableAt } from '../commands/states.ts'
import type { Db } from '../pg/db.ts'
import { gathered } from '../pg/gathered.ts'
import { mayReadPast, type Reader } from './reader.ts'

/** An entity whose history is asked for by the path it has, or had last. */
export interface Subject {
  readonly id: string
  readonly path: string
  /** The paths it had before, oldest first. */
  readonly former: readonly FormerPath[]
}

interface LiveRow {
  readonly rightsPosition: number
  readonly path: string | null
  readonly id: string | null
  readonly former: [number, string][] | null
}

const COLUMNS = `h.rights_position as "rightsPosition", p.path, p.entity_id as id,
    (select json_agg(json_build_array(f.until_revision, f.path) order by f.until_revision)
      from former_paths f where f.entity_id = p.entity_id) as former`

const PATHS_AT_ONCE = 100
const LIVE = `select ${COLUMNS} from log_head h left join pages p on p.path = any($1::text[])`

/** What is live at a path, and since when rights are as they are: one statement for all who ask at the same time. */
const findLive = gathered(PATHS_AT_ONCE, async (db, paths) => {
  const rows = await db.rows<LiveRow>(LIVE, [paths])
  const rightsPosition = rows[0]?.rightsPosition ?? 0
  const none: LiveRow = { rightsPosition, path: null, id: null, former: null }
  return paths.map(path => rows.find(row => row.path === path) ?? none)
})

type RevisionRow = LiveRow & Foldable & { readonly number: number }

/** A state may have 4 MB: this many of them are held in memory at once. */
const REVISIONS_AT_ONCE = 16
const LIVE_AT = `select ${COLUMNS}, q.number, s.body, s.events
  from rows from (json_to_recordset($1::json) as (path text, revision int)) with ordinality as q(path, revision, number)
  cross join log_head h left join pages p on p.path = q.path
  cross join lateral (${foldableAt('p.entity_id', 'q.revision')}) s
  order by q.number`

/** As `findLive`, and with it what the state at a revision is folded from. Keys are paths and revisions as JSON. */
const findLiveAt = gathered(REVISIONS_AT_ONCE, (db, keys) =>
  db.rows<RevisionRow>(LIVE_AT, [`[${keys}]`]),
)

/** Who reads, and what there is at the path for him. */
interface Found {
  readonly viewer: Viewer
  readonly subject: Subject | null
}

/**
 * The entity that is live at a path, or else has only drafts for it (for those with `viewdraft`), or was deleted there: one statement
 * when it is live.
 *
 * @returns `subject` null when there is none, also when it is at another path now, and when the path may not be viewed
 * @throws LOGIN_REQUIRED or PERMISSION_DENIED without `history` on a path that may be viewed
 */
export async function findSubject(site: Site, reader: Reader, path: string): Promise<Found> {
  return subjectOf(site, reader, path, await findLive(site.db, path))
}

/**
 * As `findSubject`, for those who want a revision of it: one statement for both.
 *
 * @returns `foldable`: for `findRevisionState`; null where the entity is not live
 */
export async function findSubjectAt(
  site: Site,
  reader: Reader,
  path: string,
  revision: number,
): Promise<Found & { foldable: Foldable | null }> {
  const row = await findLiveAt(site.db, JSON.stringify({ path, revision }))
  const found = await subjectOf(site, reader, path, row)
  return { ...found, foldable: row.id === null ? null : row }
}

/**
 * As `findSubject`.
 *
 * @param position of the entity that was live at the path then, if one was; it may be elsewhere now
 * @throws PAGE_NOT_FOUND instead of null
 */
export async function getSubject(
  site: Site,
  reader: Reader,
  path: string,
  position: number | null = null,
): Promise<{ viewer: Viewer; subject: Subject }> {
  const { viewer, subject } = await findSubject(site, reader, path)
  const then = position === null ? null : await findThen(site.db, viewer, { path, position })
  const found = then ?? subject
  if (found === null || !mayReadPast(viewer, [path, found.path])) throw absent(path)
  return { viewer, subject: found }
}

async function findThen(
  db: Db,
  viewer: Viewer,
  { path, position }: { path: string; position: number },
): Promise<Subject | null> {
  const shown = viewer.may('view', path) ? await findShown(db, path, position) : null
  if (shown === null) return null
  const [now] = await listLastPaths(db, [shown.entityId])
  const former = await listFormerPaths(db, [shown.entityId])
  return { id: shown.entityId, path: now?.path ?? path, former }
}

async function subjectOf(site: Site, reader: Reader, path: string, row: LiveRow): Promise<Found> {
  const viewer = reader ?? (await site.rights.viewer(site.db, row.rightsPosition, null))
  if (!viewer.may('view', path)) return { viewer, subject: null }
  if (!viewer.may('history', path)) throw denied(viewer, 'history', path)
  const subject = liveSubject(row, path) ?? (await findOther(site.db, viewer, path))
  return { viewer, subject }
}

function liveSubject({ id, former }: LiveRow, path: string): Subject | null {
  if (id === null) return null
  const paths = (former ?? []).map(([untilRevision, was]) => {
    return { entityId: id, untilRevision, path: was }
  })
  return { id, path, former: paths }
}

async function findOther(db: Db, viewer: Viewer, path: string): Promise<Subject | null> {
  const draft = viewer.may('viewdraft', path) ? await findUnpublishedId(db, path) : null
  const id = draft ?? (await findDeletedId(db, path)) ?? (await deletedDraft(db, viewer, path))
  return id === null ? null : { id, path, former: await listFormerPaths(db, [id]) }
}

async function deletedDraft(db: Db, viewer: Viewer, path: string): Promise<string | null> {
  return viewer.may('viewdraft', path) ? findDeletedDraftId(db, path) : null
}
