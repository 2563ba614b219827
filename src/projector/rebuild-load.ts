import { copyStreams } from '../log/copy.ts'
import { type Bulk, openBulk, type SiteDatabase } from '../pg/bulk.ts'
import { claimChunk, finishChunk } from './chunks.ts'
import { type EntityProjection, isPerEntity, type Projection } from './define.ts'
import { foldStreams } from './fold-streams.ts'
import { findRebuild, isIn, NEW, type RebuildRow } from './rebuild-plan.ts'
import { RowSink } from './row-sink.ts'
import { withoutSkipped } from './skipped.ts'
import { keysInStream, loadTargets, type Targets } from './target.ts'

/** A place in a rebuild at which a test may kill the process. */
export type RebuildPoint =
  | 'planned'
  | 'chunk-folded'
  | 'chunk-kept'
  | 'loaded'
  | 'indexed'
  | 'followed'
  | 'swapping'
  | 'swapped'

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined
  /** Told that a place was reached. */
  readonly reached?: ((point: RebuildPoint) => void) | undefined
}

/**
 * Loads chunks of the rebuild that is under way until none is left that nobody else works on. Any number of threads and processes may
 * do so at once; one that is killed gives its chunk back. Who has not all of the projections in the versions that are built leaves it to others.
 */
export async function loadChunks(
  database: SiteDatabase,
  projections: readonly Projection[],
  options: LoadOptions = {},
): Promise<void> {
  const writer = await openBulk(database)
  const reader = await openBulk(database).catch(async thrown => {
    await writer.close()
    throw thrown
  })
  try {
    const row = await findRebuild(writer.db)
    if (row === null || row.phase !== 'load' || !hasAll(row, projections)) return
    const wanted = await withoutSkipped(
      writer.db,
      projections.filter(isPerEntity).filter(isIn(row)),
    )
    const targets = await loadTargets(writer.db, wanted, NEW, row.plan.keys)
    const { signal, reached } = options
    const load = { reader, writer, row, targets, projections: wanted, reached }
    while (await loadChunk(load)) {
      reached?.('chunk-kept')
      signal?.throwIfAborted()
    }
  } finally {
    await Promise.all([reader.close(), writer.close()])
  }
}

/** A chunk is done once, for all of them. */
function hasAll(row: RebuildRow, projections: readonly Projection[]): boolean {
  return projections.filter(isIn(row)).length === row.plan.projections.length
}

interface Load extends Pick<LoadOptions, 'reached'> {
  readonly reader: Bulk
  readonly writer: Bulk
  readonly row: RebuildRow
  readonly targets: Targets
  readonly projections: readonly EntityProjection[]
}

async function loadChunk(load: Load): Promise<boolean> {
  const { reader, writer, row, targets, projections, reached } = load
  return writer.db.transaction(async db => {
    const chunk = await claimChunk(db)
    if (chunk === null) return false
    const sink = new RowSink({ ...writer, db }, targets)
    const group = { projections, keys: keysInStream(targets), until: row.loadedTo }
    let events = 0
    const range = { ...chunk, position: row.loadedTo }
    await foldStreams(copyStreams(reader, range), [group], sink, count => {
      events += count
    })
    await sink.flush()
    reached?.('chunk-folded')
    await finishChunk(db, chunk.chunk, events)
    return true
  })
}
