import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Site } from '../commands/change.ts'
import { isRm3Error } from '../errors.ts'
import { readLogPart } from '../log/read.ts'
import { openSite } from '../open-site.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { type Db, one, poolDb } from '../pg/db.ts'
import { startManagedPostgres } from '../pg/managed/start.ts'
import { openPool } from '../pg/pool.ts'
import { type Applier, openApplier } from '../projector/apply.ts'
import { type Lease, takeLease } from '../projector/checkpoint.ts'
import { commitBatch } from '../projector/commit-batch.ts'
import { isPerEntity, type Projection, tablesOf } from '../projector/define.ts'
import { installProjections } from '../projector/install.ts'
import { writeSampleLog } from './sample-log.ts'
import { strictly } from './strict-step.ts'

/** Where and on what a projection is checked. */
export interface ContractOptions {
  /** A PostgreSQL (15 or newer) that may lose everything; without it one is started for this, and removed. */
  readonly url?: string
  /** Fills the log of an empty site; without it a bit of everything is written. */
  readonly fill?: (site: Site) => Promise<void>
}

/** The rows of each table as JSON text, in the order of their text. */
export type Rows = Readonly<Record<string, readonly string[]>>

/** Schema of the site that the check makes, anew each time. */
const SITE = 'rm3_contract'

/**
 * What every projection that follows the log must keep: its rows are the same when events come one by one, in batches of any size, all
 * at once, again after they were applied, built anew, and when the process dies between writing rows and committing them. A per-entity
 * one's `step` changes nothing it is given, gives the same for the same, and makes rows of its own stream only.
 *
 * @returns the rows, for what else a test wants to say of them
 * @throws AssertionError saying what is not kept
 */
export async function checkProjection(
  projection: Projection,
  options: ContractOptions = {},
): Promise<Rows> {
  assert.equal(projection.mode, 'async', `${projection.name} follows the log`)
  if (options.url !== undefined) return check(options.url, projection, options.fill)
  const folder = await mkdtemp(join(tmpdir(), 'rm3-contract-'))
  const log = () => {}
  const server = await startManagedPostgres({ dataDir: join(folder, 'pg'), mode: 'throwaway', log })
  try {
    return await check(server.url, projection, options.fill)
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function check(
  url: string,
  projection: Projection,
  fill: (site: Site) => Promise<void> = writeSampleLog,
): Promise<Rows> {
  const pool = openPool({ url, site: SITE, restricted: false, connectionsMax: 3 })
  const db = poolDb(pool)
  await db.script(`drop schema if exists ${SITE} cascade`)
  const opened = await openSite({ url, site: SITE, allowUnsafe: true, folder: PACKAGE_ROOT })
  try {
    const others = opened.projections.filter(({ name }) => name !== projection.name)
    await installProjections(db, [...others, projection], { url, site: SITE })
    await fill(opened.site)
    return await checkAll(db, projection)
  } finally {
    await opened.close()
    await db.script(`drop schema if exists ${SITE} cascade`)
    await pool.end()
  }
}

async function checkAll(db: Db, projection: Projection): Promise<Rows> {
  const strict = isPerEntity(projection) ? await strictly(db, projection) : projection
  const rows = await rowsAfter(db, projection, () => feed(db, strict, 1))
  const ways: [string, () => Promise<void>][] = [
    ['in batches of 7', () => feed(db, projection, 7)],
    ['all at once', () => feed(db, projection, 100_000)],
    ['with each batch fed twice', () => feed(db, projection, 5, { after: feedAgain })],
    ['with a crash before each commit', () => feed(db, projection, 11, { before: crash })],
  ]
  for (const [way, run] of ways) {
    assert.deepEqual(await rowsAfter(db, projection, run), rows, `the same rows ${way}`)
  }
  if (isPerEntity(projection)) {
    await restart(db, projection)
    await feed(db, projection, 13)
    assert.deepEqual(await readRows(db, projection), rows, 'the same rows applied over them')
  }
  return rows
}

/** What happens before and after each batch is applied. */
interface Mishaps {
  readonly before?: Mishap
  readonly after?: Mishap
}
type Mishap = (db: Db, applier: Applier, lease: Lease, batch: Batch) => Promise<void>
type Batch = Parameters<typeof commitBatch>[3]

async function feed(
  db: Db,
  projection: Projection,
  size: number,
  { before, after }: Mishaps = {},
): Promise<void> {
  let lease = await takeLease(db, projection, 'contract')
  assert.ok(lease !== null, 'the projection can be followed')
  const applier = await openApplier(db, projection)
  for (;;) {
    const events = await readLogPart(db, lease.position, { events: size, bytes: 1e9 })
    if (events.length === 0) break
    const batch = { events, skipped: new Set<number>() }
    await before?.(db, applier, lease, batch)
    const next: Lease | null = await commitBatch(db, applier, lease, batch)
    assert.ok(next !== null, 'the batch is committed')
    await after?.(db, applier, lease, batch)
    lease = next
  }
}

/** The same batch again, by someone who has not noticed that it was applied. */
async function feedAgain(db: Db, applier: Applier, lease: Lease, batch: Batch): Promise<void> {
  assert.equal(await commitBatch(db, applier, lease, batch), null, 'a batch is applied once')
}

/** The connection is lost when all is written and nothing committed. */
async function crash(db: Db, applier: Applier, lease: Lease, batch: Batch): Promise<void> {
  const dying: Db = {
    ...db,
    transaction: work =>
      db.transaction(async inside => {
        const result = await work(inside)
        const { pid } = await one<{ pid: number }>(inside, 'select pg_backend_pid() as pid')
        await db.rows('select pg_terminate_backend($1::int, 5000)', [pid])
        return result
      }),
  }
  const thrown = await commitBatch(dying, applier, lease, batch).catch(error => error as unknown)
  if (!isRm3Error(thrown, 'UNAVAILABLE')) throw thrown
}

async function rowsAfter(db: Db, projection: Projection, run: () => Promise<void>): Promise<Rows> {
  await db.script(`truncate ${tablesOf(projection).join(', ')}`)
  await restart(db, projection)
  await run()
  return readRows(db, projection)
}

async function restart(db: Db, { name }: Projection): Promise<void> {
  await db.rows(
    `update checkpoints set position = 0, state = 'building', lease_until = null where kind = 'projection' and name = $1::text`,
    [name],
  )
}

async function readRows(db: Db, projection: Projection): Promise<Rows> {
  const tables: [string, string[]][] = []
  for (const table of tablesOf(projection)) {
    const rows = await db.rows<{ row: string }>(
      `select to_json(t)::text as row from ${table} t order by 1`,
    )
    tables.push([table, rows.map(({ row }) => row)])
  }
  return Object.fromEntries(tables)
}
