import { Rm3Error } from '../errors.ts'
import { readHead } from '../log/read.ts'
import type { SiteDatabase } from '../pg/bulk.ts'
import type { Db } from '../pg/db.ts'
import { type Projection, tablesOf } from './define.ts'
import { leadRebuild } from './rebuild.ts'
import { finishRebuild, type Leading, type RebuildOptions, type Rebuilt } from './rebuild-finish.ts'
import { canGoOn, dropTables, findRebuild, NEW, OLD, type Plan } from './rebuild-plan.ts'
import { renamingTables } from './rename-tables.ts'

/**
 * Has the tables that the last rebuild replaced take their place again: they become new tables that are loaded already, up to where they
 * were left, and are carried on, compared and swapped as those of any rebuild. What was live is kept in their place, so doing it again
 * takes it back. One that was killed is gone on with when it is run again.
 *
 * @throws PROJECTION_STATE when there is nothing to go back to, or it is of another version than this rm3; what `rebuildProjections` throws
 */
export async function rollbackProjections(
  database: SiteDatabase,
  options: Omit<RebuildOptions, 'threads'>,
): Promise<Rebuilt> {
  return leadRebuild(database, { ...options, threads: 0 }, async leading => {
    await takeBack(leading)
    return finishRebuild(leading)
  })
}

/** The projections that were swapped last; [] before the first rebuild. */
export async function listSwapped(db: Db): Promise<string[]> {
  const last = await findRebuild(db)
  return (last?.plan.projections ?? []).map(({ name }) => name)
}

async function takeBack({ writer: { db }, options }: Leading): Promise<void> {
  const { projections, all } = options
  const left = await findRebuild(db)
  const { epoch } = await readHead(db)
  const isBegun = left?.plan.kept !== undefined && left.epoch === epoch
  if (left !== null && isBegun && canGoOn(left, projections)) return
  const kept = await demandKept(db, { projections, all, epoch })
  const tables = projections.flatMap(tablesOf)
  const plan: Plan = {
    projections: projections.map(({ name, version }) => ({ name, version })),
    ...{ tables, keys: {}, indexes: [], constraints: [], kept },
  }
  await db.transaction(async inside => {
    const halfMade = left === null || left.phase === 'done' ? [] : left.plan.tables
    await dropTables(inside, [...halfMade, ...tables], NEW)
    await inside.script((await renamingTables(inside, tables, { from: OLD, to: NEW })).script)
    await inside.rows(BEGIN, [plan, epoch, Math.min(...Object.values(kept))])
  })
}

const BEGIN = `insert into rebuilds (phase, plan, epoch, loaded_to, position) values ('follow', $1::json, $2::uuid, $3::bigint, $3::bigint)
  on conflict (site) do update set phase = excluded.phase, plan = excluded.plan, epoch = excluded.epoch,
    loaded_to = excluded.loaded_to, position = excluded.position, ordered_to = 0, drift = null, altered = null, started = now(), ended = null`

interface Kept {
  readonly name: string
  readonly version: number
  readonly kept: {
    readonly version: number
    readonly position: number
    readonly epoch: string
  } | null
}

const KEPT = `select name, version, kept from checkpoints where kind = 'projection'`
const MISSING = `select name from unnest($1::text[]) as t(name) where to_regclass(name) is null limit 1`

/** Up to where the tables that were kept of each projection hold the log. */
async function demandKept(
  db: Db,
  { projections, all, epoch }: Pick<RebuildOptions, 'projections' | 'all'> & { epoch: string },
): Promise<Record<string, number>> {
  const rows = await db.rows<Kept>(KEPT)
  const positions: Record<string, number> = {}
  for (const projection of projections) {
    const { name, version } = projection
    const kept = rows.find(row => row.name === name)?.kept ?? null
    const names = tablesOf(projection).map(table => `${table}${OLD}`)
    const missing = await db.rows(MISSING, [names])
    if (kept === null || missing.length > 0) throw refused(name, 'no tables of it were kept')
    if (kept.version !== version) {
      throw refused(
        name,
        `the tables that were kept of it are of version ${kept.version}, and this rm3 has version ${version}; run it with the rm3 that made them`,
      )
    }
    if (kept.epoch !== epoch) throw refused(name, 'the log is another one since it was restored')
    positions[name] = kept.position
  }
  demandRest(rows, all, projections)
  return positions
}

/** Saves are written by one function for all: projections that stay must be of the version that this rm3 has. */
function demandRest(
  rows: readonly Kept[],
  all: readonly Projection[],
  projections: readonly Projection[],
): void {
  for (const { name, version } of all) {
    const row = rows.find(known => known.name === name)
    const stays = !projections.some(taken => taken.name === name)
    if (stays && row !== undefined && row.version !== version) {
      throw refused(
        name,
        `it is there in version ${row.version}, and this rm3 has version ${version}; go back with it as well`,
      )
    }
  }
}

function refused(name: string, why: string): Rm3Error {
  return new Rm3Error(
    'PROJECTION_STATE',
    `the projection "${name}" cannot be rolled back: ${why}`,
    {
      name,
    },
  )
}
