import { change, type Site } from '../../src/commands/change.ts'
import type { SiteEvent } from '../../src/content/events.ts'
import { type Db, poolDb } from '../../src/pg/db.ts'
import { openPool } from '../../src/pg/pool.ts'
import type { Projection } from '../../src/projector/define.ts'
import { installProjections } from '../../src/projector/install.ts'
import { loadInline } from '../../src/projector/tables.ts'
import { assert } from '../harness.ts'
import { AS_ROOT, TEST_SITE, testSite } from '../support/database.ts'

/** The rows of each table of a projection, in the order of the primary key. */
export type Tables = Readonly<Record<string, readonly Record<string, unknown>[]>>

/**
 * What every projection must keep: its rows are the same when events are appended one by one, all in one append, and when they are
 * built anew from the log.
 *
 * @param events of any streams, in the order of the log; those of one stream follow each other, and all have the same `at`
 * @returns the rows, for what else a test wants to say of them
 */
export async function checkProjections(
  projections: readonly Projection[],
  events: readonly SiteEvent[],
): Promise<Tables> {
  const one = await withRows(projections, async (site, read) => {
    for (const event of events) await append(site, [event])
    const written = await read.rows()
    await read.rebuild()
    assert.equal(plain(await read.rows()), plain(written), 'built anew from the log')
    return written
  })
  const all = await withRows(projections, async (site, read) => {
    await append(site, events)
    return read.rows()
  })
  assert.equal(plain(all), plain(one), 'in one append')
  return one
}

interface Reading {
  rows(): Promise<Tables>
  rebuild(): Promise<void>
}

/** Runs `work` on an empty site of its own that has these projections. */
async function withRows(
  projections: readonly Projection[],
  work: (site: Site, read: Reading) => Promise<Tables>,
): Promise<Tables> {
  const opened = await testSite()
  const pool = openPool({ url: opened.url, site: TEST_SITE, restricted: false, connectionsMax: 1 })
  const db = poolDb(pool)
  const database = { url: opened.url, site: TEST_SITE }
  try {
    await installProjections(db, projections, database)
    const site = { ...opened.site, inline: await loadInline(db, projections) }
    return await work(site, {
      rows: () => readTables(db, projections),
      rebuild: async () => {
        const raised = projections.map(projection => ({ ...projection, version: 99 }))
        await installProjections(db, raised, database)
      },
    })
  } finally {
    await pool.end()
    await opened.close()
  }
}

/** Appends events as they are, ids and all. */
export async function append(site: Site, events: readonly SiteEvent[]): Promise<void> {
  const author = {
    ...AS_ROOT,
    at: events[0]?.at ?? '',
    eventId: (index: number) => events[index]?.eventId ?? '',
  }
  await change(site, author, async change => {
    for (const { type, stream, data } of events) {
      await Promise.all([change.entity(stream), change.grants(), change.settings()])
      change.record([{ type, stream, data } as SiteEvent])
    }
  })
}

async function readTables(db: Db, projections: readonly Projection[]): Promise<Tables> {
  const { keys } = await loadInline(db, projections)
  const tables: [string, Record<string, unknown>[]][] = []
  for (const [table, key] of keys) {
    tables.push([table, await db.rows(`select * from ${table} order by ${key.join(', ')}`)])
  }
  return Object.fromEntries(tables)
}

/** Rows as JSON, so that bytes and names such as `constructor` compare as what they are. */
function plain(tables: Tables): string[] {
  return Object.entries(tables).flatMap(([table, rows]) =>
    rows.map(row => `${table} ${JSON.stringify(row)}`),
  )
}
