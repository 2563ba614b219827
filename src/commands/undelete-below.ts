import { listDeletedBelow } from '../../projections/page-history.ts'
import { decidePage } from '../content/decide-page.ts'
import { movedPath } from '../content/path.ts'
import type { Entity } from '../content/state.ts'
import { isRm3Error, Rm3Error } from '../errors.ts'
import type { Change } from './change.ts'
import { demandCreate, demandFree, pageAt, SUBTREE_MAX, undeletePage } from './pages.ts'
import type { LeftPage } from './undo.ts'

export interface Returned {
  readonly entityId: string
  /** Where it was deleted. */
  readonly path: string
  /** Where it comes back. */
  readonly to: string
}

/**
 * Brings back the deleted pages below a path, of several deleted at one path the last, by their paths. Those that the viewer may not see are passed
 * over as if they were none.
 *
 * @param place `to`: where what was at `from` goes; `after`: only those that were deleted after this position
 * @returns `left`: those that stay deleted, and the code of why: PERMISSION_DENIED, PATH_TAKEN, ERASED
 * @throws REQUEST_INVALID when they are more than `SUBTREE_MAX`
 */
export async function undeleteBelow(
  change: Change,
  { from, to, after }: { from: string; to: string; after: number },
): Promise<{ pages: Returned[]; left: LeftPage[] }> {
  const { site, viewer } = change
  const deleted = await listDeletedBelow(site.db, { path: from, after }, SUBTREE_MAX + 1)
  if (deleted.length > SUBTREE_MAX) {
    throw new Rm3Error(
      'REQUEST_INVALID',
      `more than ${SUBTREE_MAX} deleted pages are below ${from}; bring them back in parts`,
      { path: from, most: SUBTREE_MAX },
    )
  }
  const pages: Returned[] = []
  const left: LeftPage[] = []
  for (const { id, path } of deleted) {
    if (!viewer.may('view', path) || !viewer.may('history', path)) continue
    const entity = await change.entity(id)
    if (entity?.state !== 'deleted') continue
    const place = movedPath(path, from, to)
    const why = await bringBack(change, entity, place)
    if (why === null) pages.push({ entityId: id, path, to: place })
    else left.push({ entityId: id, path, why })
  }
  return { pages, left }
}

/** The code of why a page cannot come back to a path; null when it has. */
async function bringBack(change: Change, entity: Entity, path: string): Promise<string | null> {
  if (!change.viewer.may('post.delete', entity.path)) return 'PERMISSION_DENIED'
  try {
    demandCreate(change, path)
    const events = decidePage(entity, { type: 'UndeletePage', path })
    await demandFree(change, path)
    change.record(events)
    return null
  } catch (thrown) {
    if (!isRm3Error(thrown)) throw thrown
    return thrown.code === 'LOGIN_REQUIRED' ? 'PERMISSION_DENIED' : thrown.code
  }
}

/** What came back. */
export interface Undeleted {
  readonly top: Entity
  /** Pages below it. */
  readonly pages: readonly Returned[]
  readonly left: readonly LeftPage[]
}

/**
 * Brings a deleted page back, alone or with all that was deleted below it; then a page that is there already stays, and only what is below
 * comes back.
 *
 * @param options `to`: where to, in place of where it was; `after`: of what is below only what was deleted after this position
 * @throws as `undeletePage` and `undeleteBelow`
 */
export async function undelete(
  change: Change,
  path: string,
  { to, below, after }: { to?: string; below: boolean; after: number },
): Promise<Undeleted> {
  if (!below) return { top: await undeletePage(change, path, to), pages: [], left: [] }
  const top = await undeletePage(change, path, to).catch(thrown => {
    if (to !== undefined || !isRm3Error(thrown, 'PAGE_NOT_DELETED')) throw thrown
    return pageAt(change, path)
  })
  return { top, ...(await undeleteBelow(change, { from: path, to: top.path, after })) }
}
