import type { SiteDatabase } from '../pg/bulk.ts'
import { type Db, one } from '../pg/db.ts'
import { isPerEntity, type Projection, tablesOf } from './define.ts'
import { rebuildProjections } from './rebuild.ts'
import { isInline } from './tables.ts'
import { threadsFor } from './threads.ts'
import { type Verified, verifyProjections } from './verify.ts'

/**
 * Says of all projections that they are not built, in the transaction in which the log became another one. Until they are, nobody can
 * append; whoever opens the site next builds those that are written with each save, if nobody has.
 */
export async function forgetBuilt(db: Db): Promise<void> {
  await db.script(`delete from checkpoints where kind = 'projection';
    create or replace function write_inline(rows inline_rows, head bigint) returns void language plpgsql as $$ begin
      raise exception 'the projections are not built yet' using errcode = 'RM002';
    end $$`)
}

const MISSING = `select exists (select from unnest($1::text[]) as t(name)
  where not exists (select from checkpoints c where c.kind = 'projection' and c.name = t.name)) as missing`

/** Whether a projection that is written with each save is not built. */
export async function isUnbuilt(db: Db, projections: readonly Projection[]): Promise<boolean> {
  const names = projections.filter(isInline).map(({ name }) => name)
  return (await one<{ missing: boolean }>(db, MISSING, [names])).missing
}

export interface BuildOptions {
  readonly projections: readonly Projection[]
  /** Of the log. */
  readonly events: number
  readonly signal?: AbortSignal | undefined
  readonly onProgress?:
    | ((step: 'building' | 'comparing', done: number, total: number) => void)
    | undefined
  /** Told that all are built and swapped in. */
  readonly built?: (() => void) | undefined
}

/**
 * Builds all projections, and looks that every row is there as it was folded. Only where it is not, or the order of events counts, the log is
 * folded once more, to tell which row.
 *
 * @throws what `rebuildProjections` throws
 */
export async function buildAll(database: SiteDatabase, options: BuildOptions): Promise<Verified> {
  const { projections, signal, onProgress } = options
  const common = { projections, threads: threadsFor(options.events), signal }
  const { altered } = await rebuildProjections(database, {
    ...{ ...common, all: projections },
    onProgress: (done, total) => onProgress?.('building', done, total),
  })
  options.built?.()
  const unproved = projections.filter(
    projection =>
      !isPerEntity(projection) ||
      tablesOf(projection).some(table => altered?.includes(table) ?? true),
  )
  return verifyProjections(database, {
    ...common,
    rowsOf: unproved,
    onProgress: (done, total) => onProgress?.('comparing', done, total),
  })
}
