import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { openBulk } from '../../src/pg/bulk.ts'
import { type Db, one } from '../../src/pg/db.ts'
import { listChunks } from '../../src/projector/chunks.ts'
import type { Projection } from '../../src/projector/define.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { rebuildProjections } from '../../src/projector/rebuild.ts'
import { indexTables } from '../../src/projector/rebuild-index.ts'
import { loadChunks, type RebuildPoint } from '../../src/projector/rebuild-load.ts'
import { findRebuildStatus } from '../../src/projector/rebuild-status.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE, type TestSite, testSite } from '../support/database.ts'
import { until } from '../support/until.ts'
import { contentOf, fillSite } from './damage-runs.ts'
import { swapRuns } from './swap-runs.ts'

/** All there are: the compiler says when one is missing. */
const POINTS: Readonly<Record<RebuildPoint, true>> = {
  planned: true,
  'chunk-kept': true,
  'chunk-folded': true,
  loaded: true,
  indexed: true,
  followed: true,
  swapping: true,
  swapped: true,
}
const SWAPS = 8
const DEADLINE_MS = 120_000

suite('rebuilding projections', test => {
  let open: TestSite
  let all: Projection[]
  const database = () => ({ url: open.url, site: TEST_SITE })
  test.before(async () => {
    open = await testSite()
    all = await discoverProjections()
    await fillSite(open, 6)
  })
  test.after(() => open.close())

  test('makes the same rows, and keeps the old tables', async () => {
    const { db, close } = await openBulk(database())
    const before = await contentOf(db, all)

    const rebuilt = await rebuildProjections(database(), { projections: all, all, threads: 0 })
    const { count } = await one<{ count: number }>(
      db,
      'select count(*) as count from page_history__old',
    )

    assert.equal([rebuilt.drift, rebuilt.altered], [[], null])
    assert.equal(await contentOf(db, all), before)
    assert.ok(count > 0)
    await close()
  })

  test('tells which rows were not as the log has them', async () => {
    const { db, close } = await openBulk(database())
    await db.script(`update tags set object = object || 'x'; delete from settings`)

    const { drift } = await rebuildProjections(database(), { projections: all, all, threads: 0 })

    assert.equal(
      drift?.map(({ table }) => table),
      ['settings', 'tags'],
    )
    const again = await rebuildProjections(database(), { projections: all, all, threads: 2 })
    assert.equal(again.drift, [])
    await close()
  })

  for (const point of Object.keys(POINTS) as RebuildPoint[]) {
    test(`killed at "${point}" leaves tables that serve, and goes on when it is run again`, async () => {
      const { db, close } = await openBulk(database())
      const before = await contentOf(db, all)

      await killedAt(open.url, point)

      assert.equal(await contentOf(db, all), before)
      const left = await findRebuildStatus(db)
      assert.is(left?.phase === 'done', point === 'swapped')
      assert.equal(
        left?.projections,
        all.map(({ name }) => name),
      )
      if (point === 'loaded') assert.is(left?.events, left?.total)
      await rebuildProjections(database(), { projections: all, all, threads: 0 })
      assert.equal(await contentOf(db, all), before)
      assert.is((await findRebuildStatus(db))?.phase, 'done')
      await close()
    })
  }

  for (const point of ['chunk-kept', 'followed'] as const) {
    test(`of another version, killed at "${point}", holds what was written to it in the end`, async () => {
      const { db, close } = await openBulk(database())
      const before = await contentOf(db, all)
      await db.script(`update checkpoints set version = version - 1 where kind = 'projection'`)

      await killedAt(open.url, point)
      const rebuilt = await rebuildProjections(database(), { projections: all, all, threads: 2 })

      assert.equal([rebuilt.drift, rebuilt.altered], [null, []])
      assert.equal(await contentOf(db, all), before)
      assert.equal(await db.rows('select from rebuild_sums'), [])
      await close()
    })
  }

  test('is not helped by who has other versions of its projections, or not all of them', async () => {
    const { db, close } = await openBulk(database())
    const before = await contentOf(db, all)
    await killedAt(open.url, 'planned')
    const [first, ...others] = all as [Projection, ...Projection[]]

    await loadChunks(database(), others)
    await loadChunks(database(), [{ ...first, version: first.version - 1 }, ...others])
    await rebuildProjections(database(), { projections: all, all, threads: 0 })

    assert.equal(await contentOf(db, all), before)
    await close()
  })

  test('is cut into chunks, also of a short log, so that it is seen how far it is', async () => {
    const { db, close } = await openBulk(database())
    const count = async (events: number) => (await listChunks(db, events)).length

    // as many streams as there are, which are few here, bound it too
    assert.is(await count(400), 1)
    assert.is(await count(900), 2)
    const some = await count(12_000)
    assert.ok(some > 4 && some <= 12, `${some}`)
    assert.ok((await count(400_000)) <= 20)
    await close()
  })

  test('two at once share the work', async () => {
    const options = { projections: all, all, threads: 0 }
    const [one, other] = await Promise.all([
      rebuildProjections(database(), options),
      rebuildProjections(database(), options),
    ])

    assert.equal([one?.drift, other?.drift], [[], []])
  })

  test('waits for indexes that take longer than one waits for locks, also one of a rebuild that was killed', async () => {
    const { db, close } = await openBulk(database())
    await db.script(SLOW_TABLE)
    const index = 'create index if not exists slow__new_n on slow__new (slowly(n))'
    const other = await openBulk(database())
    const nothing = { projections: [], keys: {}, constraints: [] }

    const killed = other.db.script(index)
    await untilBuilding(db)
    await indexTables(database(), {
      ...nothing,
      tables: ['slow'],
      indexes: [index, index.replace('slow__new_n', 'slow__new_m')],
    })
    await killed
    await other.close()

    const found = await db.rows(`select from pg_indexes where tablename = 'slow__new'`)
    await db.script('drop table slow__new; drop function slowly')
    await close()
    assert.is(found.length, 3)
  }, 60_000)

  test(
    'loses nothing and fails nobody while three processes write and read',
    async () => {
      await swapRuns(database(), all, SWAPS)
    },
    DEADLINE_MS,
  )
})

/** A table of which an index takes six seconds; five is what a statement waits for a lock. */
const SLOW_TABLE = `create table slow__new (n int primary key);
  insert into slow__new values (1);
  create function slowly(n int) returns int language plpgsql immutable as $$ begin perform pg_sleep(6); return n; end $$`

function untilBuilding(db: Db): Promise<unknown> {
  return until(async () => (await db.rows('select from pg_stat_progress_create_index')).length > 0)
}

/** Rebuilds in a process of its own that is killed at a point. */
async function killedAt(url: string, point: RebuildPoint): Promise<void> {
  const child = fork(join(import.meta.dirname, 'rebuild-process.js'), [url, point], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  assert.is(signal, 'SIGKILL', `it was not killed at ${point}`)
}
