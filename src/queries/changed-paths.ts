import { SETTINGS_STREAM } from '../content/events.ts'
import type { Db } from '../pg/db.ts'

/** What a part of the log may have changed of what readers see. */
export interface ChangedPaths {
  /** Where the entities were before, in between and after; none for those that were never live. */
  readonly paths: readonly string[]
  readonly settings: boolean
}

/** As many states of each entity as it has events there, and the one before them. */
const CHANGED = `select c.stream, h.path from (
    select stream, count(*)::int as events from log
    where position > $1::bigint and position <= $2::bigint group by stream
  ) c
  left join lateral (select path from page_history where entity_id = c.stream and from_position <= $2::bigint
    order by from_position desc limit c.events + 1) h on true`

/** The paths that events after one position and up to another are about. Meant for some hundred events at most. */
export async function listChangedPaths(
  db: Db,
  range: { readonly after: number; readonly upTo: number },
): Promise<ChangedPaths> {
  const rows = await db.rows<{ stream: string; path: string | null }>(CHANGED, [
    range.after,
    range.upTo,
  ])
  const paths = rows.flatMap(({ path }) => (path === null ? [] : [path]))
  return {
    paths: [...new Set(paths)],
    settings: rows.some(({ stream }) => stream === SETTINGS_STREAM),
  }
}
