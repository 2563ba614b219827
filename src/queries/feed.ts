import { type FormerPath, listFormerPaths, pathAtRevision } from '../../projections/page-history.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { GRANTS_STREAM, SETTINGS_STREAM } from '../content/events.ts'
import { SITE_PATH } from '../content/path.ts'
import type { Db } from '../pg/db.ts'
import { lastPaths } from './read-past.ts'
import { mayReadPast } from './reader.ts'

/** An event as the feed gives it. */
export interface FeedEntry {
  readonly position: number
  readonly eventId: string
  /** The entity's id, or one of the site's own streams. */
  readonly entityId: string
  readonly revision: number
  readonly type: string
  readonly version: number
  /** The path it had when the event was done; null for the site's own streams. */
  readonly path: string | null
  readonly at: string
  readonly recordedAt: string
  readonly actor: string
  readonly door: string | null
  readonly note: string | null
  /** Whether what it said is erased. */
  readonly erased: boolean
  /** The payload as JSON text; null once erased. */
  readonly data: string | null
}

interface FeedRow extends Omit<FeedEntry, 'path'> {
  /** Whether readers saw its content, then or later. */
  readonly shown: boolean
}

/** Most events that one look at the log goes through. */
export const FEED_MAX = 1_000

/** What an erasure carries of other events is told with those, to those who may see them. */
const TOLD = `case when l.erased > 0 then null when l.type = 'Erased' then (l.data::jsonb - 'standIns')::text else l.data::text end`
const FEED = `select l.position, l.event_id as "eventId", l.stream as "entityId", l.revision, l.type, l.version, l.at,
    l.recorded_at as "recordedAt", l.actor, l.meta->>'door' as door, l.note,
    coalesce(l.erased > 0, false) as erased, ${TOLD} as data,
    l.meta->>'draft' is null or exists (
      select from published_drafts d where d.entity_id = l.stream and d.revision = l.revision) as shown
  from events l where l.position > $1::bigint and l.position <= $2::bigint
    and ($3::text is null or l.type = $3::text)
  order by l.position`

/**
 * The events after a position that a viewer may see, in order, out of the next `limit` positions.
 *
 * An event of an entity takes `view` and `history`, today, on the path the entity has now (or had last) and on those it had before
 * and after the event; a draft that never went live also `viewdraft`; what happens to an account `user.edit` on its path (or
 * being it); rights and settings of the site take `grant` on its root.
 *
 * @param head the end of the log
 * @returns `scanned`: the position up to which all were looked at, `head` at the end of the log
 */
export async function readFeed(
  site: Site,
  viewer: Viewer,
  part: { after: number; limit: number; type: string | null; head: number },
): Promise<{ items: FeedEntry[]; scanned: number }> {
  const { after, limit, type, head } = part
  const scanned = Math.max(after, Math.min(head, after + Math.min(limit, FEED_MAX)))
  const rows = await site.db.rows<FeedRow>(FEED, [after, scanned, type])
  const paths = await pathsOf(site.db, rows)
  const items = rows.flatMap(({ shown, ...row }): FeedEntry[] => {
    if (isOfSite(row)) return viewer.may('grant', SITE_PATH) ? [{ ...row, path: null }] : []
    const path = paths(row.entityId, row.revision)
    const may = path !== null && maySee(viewer, { ...row, shown }, paths)
    return may ? [{ ...row, path }] : []
  })
  return { items, scanned }
}

type Paths = (entityId: string, revision: number) => string | null

async function pathsOf(db: Db, rows: readonly FeedRow[]): Promise<Paths> {
  const ids = [...new Set(rows.filter(row => !isOfSite(row)).map(row => row.entityId))]
  if (ids.length === 0) return () => null
  const [now, former] = await Promise.all([lastPaths(db, ids), listFormerPaths(db, ids)])
  const byEntity = new Map<string, FormerPath[]>()
  for (const row of former) {
    const known = byEntity.get(row.entityId)
    if (known) known.push(row)
    else byEntity.set(row.entityId, [row])
  }
  return (id, revision) => {
    const last = now.get(id)
    return last === undefined ? null : pathAtRevision(byEntity.get(id) ?? [], revision, last)
  }
}

const OF_ACCOUNT = new Set(['RoleAssigned', 'RoleDeassigned', 'CredentialSet', 'CredentialRemoved'])
const NEWEST = 2_147_483_647

function maySee(viewer: Viewer, row: FeedRow, paths: Paths): boolean {
  const { entityId: id, revision, type, shown } = row
  const moments = [revision - 1, revision, NEWEST].map(moment => paths(id, moment) ?? '')
  if (!mayReadPast(viewer, moments)) return false
  if (!shown && !moments.every(path => viewer.may('viewdraft', path))) return false
  if (!OF_ACCOUNT.has(type)) return true
  return viewer.userId === id || moments.every(path => viewer.may('user.edit', path))
}

function isOfSite({ entityId }: { entityId: string }): boolean {
  return entityId === GRANTS_STREAM || entityId === SETTINGS_STREAM
}
