import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { one } from '../pg/db.ts'

/** Who reads; null: someone without a session or token, whose rights are looked up with what is read anyway. */
export type Reader = Viewer | null

const RIGHTS = `select rights_position as position from log_head`

/** The viewer that a reader is, where no statement has read the position of the rights yet. */
export async function viewerOf(site: Site, reader: Reader): Promise<Viewer> {
  if (reader !== null) return reader
  const { position } = await one<{ position: number }>(site.db, RIGHTS)
  return site.rights.viewer(site.db, position, null)
}

/** Whether someone may read what an entity said while it had these paths, the one it has now among them. */
export function mayReadPast(viewer: Viewer, paths: readonly string[]): boolean {
  return paths.every(path => viewer.may('view', path) && viewer.may('history', path))
}
