import type { Bulk, SiteDatabase } from '../pg/bulk.ts'
import { isPerEntity, type Projection } from './define.ts'
import { compareTables, type Drift } from './rebuild-compare.ts'
import { Follower } from './rebuild-follow.ts'
import type { LoadOptions } from './rebuild-load.ts'
import { areBuilt, currentRebuild, newTargets } from './rebuild-plan.ts'
import { endSums, listAltered } from './rebuild-sums.ts'
import { catchUp, swapTables } from './rebuild-swap.ts'
import { leavingOut, withoutSkipped } from './skipped.ts'
import { loadTargets } from './target.ts'

export interface RebuildOptions extends LoadOptions {
  /** Those that are rebuilt. */
  readonly projections: readonly Projection[]
  /** All of the site. */
  readonly all: readonly Projection[]
  /** Threads that load, each a client of the database; 0 does it in this one, with the projections as they are given. */
  readonly threads: number
  /** Told events loaded and all that are to be. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

export interface Rebuilt {
  /** Where the log was when the new tables took the place of the old ones. */
  readonly position: number
  /** What was not as the log has it in the old tables; null when nothing could be compared. */
  readonly drift: readonly Drift[] | null
  /**
   * Tables that did not hold what was written to them just before they took their place; null where it was not summed up, as it is when
   * there are no live ones to compare them with.
   */
  readonly altered: readonly string[] | null
}

/** Whoever leads a rebuild, with two connections. */
export interface Leading {
  readonly writer: Bulk
  readonly reader: Bulk
  readonly database: SiteDatabase
  readonly options: RebuildOptions
}

/** Carries the new tables to the end of the log, compares the live ones with them, and swaps. */
export async function finishRebuild({
  writer,
  reader,
  database,
  options,
}: Leading): Promise<Rebuilt> {
  const { db } = writer
  const { projections, all, signal, reached } = options
  const perEntity = projections.filter(isPerEntity)
  const { plan } = await currentRebuild(db)
  const made = await newTargets(db, projections, plan)
  const live = await loadTargets(db, perEntity, '')
  const isSame = await areBuilt(db, projections)
  const following = (await withoutSkipped(db, projections)).map(projection =>
    fromKept(projection, plan.kept?.[projection.name]),
  )
  const follower = new Follower({ writer, reader }, following, made)
  await catchUp({ db, follower, signal })
  const { position: madeTo, altered: known } = await currentRebuild(db)
  const altered = plan.summed ? (known ?? (await listAltered(database, made))) : null
  if (altered !== null) await endSums(db, made, altered)
  const drift = isSame
    ? await compareTables([db, reader.db], perEntity, { live, made, position: madeTo })
    : null
  await db.rows('update rebuilds set drift = $1::json', [drift && JSON.stringify(drift)])
  const writersOf = isSame && drift?.every(({ rows }) => rows !== null) ? null : all
  const position = await swapTables({ db, follower, projections, writersOf, signal, reached })
  reached?.('swapped')
  return { position, drift, altered }
}

/**
 * Tables that take their place again are followed from where the first of them was left. To those made stream by stream it does no harm
 * to come to an event again, for whole streams are replaced; an ordered projection is given only what it has not seen.
 */
function fromKept(projection: Projection, kept: number | undefined): Projection {
  if (kept === undefined || isPerEntity(projection)) return projection
  return leavingOut(projection, position => position <= kept)
}
