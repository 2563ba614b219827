import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type RestorePoint, restoreSite } from '../../src/backup/restore.ts'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { readHead } from '../../src/log/read.ts'
import { openSite } from '../../src/open-site.ts'
import { openBulk } from '../../src/pg/bulk.ts'
import type { Projection } from '../../src/projector/define.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { verifyProjections } from '../../src/projector/verify.ts'
import { writeSampleLog } from '../../src/testing/sample-log.ts'
import { assert, suite } from '../harness.ts'
import { contentOf } from '../projector/damage-runs.ts'
import {
  AS_ROOT,
  TEST_SITE,
  type TestDatabase,
  type TestSite,
  testDatabase,
  testSite,
} from '../support/database.ts'
import { refused } from '../support/refused.ts'
import { NOTHING, partOf } from '../support/site-copy.ts'

const DOCUMENT = { proto: 'base', hidden: false, summary: {}, data: {}, tags: {} }
const KILLED: readonly RestorePoint[] = [
  'log-written',
  'log-proved',
  'log-committed',
  'built',
  'compared',
]
const SECRET = {
  credential: '00000000-0000-4000-8000-0000000000c1',
  userId: '00000000-0000-4000-8000-0000000000a1',
  secret: '{"a":1}',
  created: '2024-01-01T00:00:00.000Z',
}

/** Indexes and constraints of the log. */
const RULES = `select indexdef as rule from pg_indexes where schemaname = current_schema() and tablename = 'log'
  union all select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where conrelid = 'log'::regclass order by 1`

/** Changes what was built before it is looked at. */
const HAND = `create function hand() returns trigger language plpgsql as $$ begin
    set local session_replication_role = replica;
    update tags__new set object = object || 'x';
    return null;
  end $$;
  create trigger hand after update on rebuilds for each row
    when (old.phase = 'load' and new.phase = 'follow') execute function hand()`

let from: TestSite
let projections: Projection[]

suite('restoring a site', test => {
  test.before(async () => {
    from = await testSite()
    projections = await discoverProjections()
    await writeSampleLog(from.site)
  })
  test.after(() => from.close())

  test('gives the same log, head, secrets and rows, and a site that can be written to', async () => {
    const to = await testDatabase()
    const part = await partOf(source(), NOTHING, [SECRET])

    const restored = await restoreInto(to, [part])

    assert.is(restored.head.chain, (await readHead(from.site.db)).chain)
    assert.is(restored.events, restored.head.position)
    await isSame(to)
    const { site, close } = await opened(to)
    assert.equal(await site.db.rows('select * from credential_secrets'), [
      {
        credential: SECRET.credential,
        entity_id: SECRET.userId,
        secret: SECRET.secret,
        created: SECRET.created,
      },
    ])
    assert.equal(await site.db.rows(RULES), await from.site.db.rows(RULES))
    await change(site, AS_ROOT, it => createPage(it, { path: 'wh.new', document: DOCUMENT }))
    await close()
    assert.equal((await verified(to)).findings, [])
    await to.drop()
  })

  test('a second time it says that all is there, and changes nothing', async () => {
    const to = await testDatabase()
    await restoreInto(to, [await partOf(source())])

    const error = await refused(restoreInto(to, [await partOf(source())]))

    assert.is(error.code, 'SITE_NOT_EMPTY')
    assert.equal(error.details, { position: (await readHead(from.site.db)).position, loaded: true })
    await isSame(to)
    await to.drop()
  })

  test('a site with a log of its own is left alone', async () => {
    const other = await testSite()
    await change(other.site, AS_ROOT, it => createPage(it, { path: 'wh', document: DOCUMENT }))
    const head = await readHead(other.site.db)

    const error = await refused(restoreInto(other, [await partOf(source())]))

    assert.is(error.code, 'SITE_NOT_EMPTY')
    assert.is(error.details['loaded'], false)
    assert.equal(await readHead(other.site.db), head)
    await other.close()
  })

  test('a site in which a restored log was continued goes on with the next part, while it is open', async () => {
    const to = await testDatabase()
    const first = await partOf(source())
    await restoreInto(to, [first])
    const { site, close } = await opened(to)
    await change(from.site, AS_ROOT, it => createPage(it, { path: 'wh.later', document: DOCUMENT }))

    await restoreInto(to, [first, await partOf(source(), first.head)])

    await isSame(to)
    await change(site, AS_ROOT, it => createPage(it, { path: 'wh.here', document: DOCUMENT }))
    await close()
    assert.equal((await verified(to)).findings, [])
    await to.drop()
  })

  test('rows that are not as they were folded are named', async () => {
    const to = await testDatabase()
    await (await opened(to)).close()
    const { db, close } = await openBulk(databaseOf(to))
    await db.script(HAND)

    const error = await refused(restoreInto(to, [await partOf(source())]))

    await close()
    assert.is(error.code, 'LOG_DAMAGED')
    assert.match(error.message, /the projections differ from them in \d+ places, the first: .*tags/)
    await to.drop()
  })

  test('a dry run proves it and keeps nothing', async () => {
    const to = await testDatabase()
    const options = { projections, allowUnsafe: true, dryRun: true }

    const { events } = await restoreSite(databaseOf(to), [await partOf(source())], options)

    assert.is(events, (await readHead(from.site.db)).position)
    const { site, close } = await opened(to)
    assert.is((await readHead(site.db)).position, 0)
    await close()
    await to.drop()
  })

  for (const point of KILLED) {
    test(`killed at "${point}" it is finished by the same load, or by the next start`, async () => {
      const isKept = point !== 'log-written' && point !== 'log-proved'
      const again = await killedAt(point)
      const outcome = await restoreInto(again, [await partOf(source())]).then(
        ({ events }) => events > 0,
        thrown => thrown.code as string,
      )
      assert.is(outcome, !isKept ? true : point === 'log-committed' ? false : 'SITE_NOT_EMPTY')
      await isSame(again)
      await again.drop()

      const started = await killedAt(point)
      const { site, close } = await opened(started)
      const { position } = await readHead(site.db)
      await close()
      assert.is(position, isKept ? (await readHead(from.site.db)).position : 0)
      assert.equal((await verified(started)).findings, [])
      await started.drop()
    })
  }
})

function source() {
  return { url: from.url, site: TEST_SITE }
}

function databaseOf({ url }: { url: string }) {
  return { url, site: TEST_SITE }
}

function opened({ url }: { url: string }) {
  return openSite({ url, site: TEST_SITE, allowUnsafe: true })
}

function restoreInto(to: { url: string }, parts: Parameters<typeof restoreSite>[1]) {
  return restoreSite(databaseOf(to), parts, { projections, allowUnsafe: true })
}

function verified(to: { url: string }) {
  return verifyProjections(databaseOf(to), { projections, threads: 0 })
}

/** The rows of all projections are those of the site it was taken from, and prove. */
async function isSame(to: { url: string }): Promise<void> {
  const there = await openBulk(databaseOf(to))
  const here = await openBulk(source())
  const inline = projections.filter(({ mode }) => mode === 'inline')
  assert.equal(await contentOf(there.db, inline), await contentOf(here.db, inline))
  assert.equal((await readHead(there.db)).chain, (await readHead(here.db)).chain)
  await there.close()
  await here.close()
  const { findings, skipped } = await verified(to)
  assert.equal([findings, skipped], [[], []])
}

async function killedAt(point: RestorePoint): Promise<TestDatabase> {
  const to = await testDatabase()
  const child = fork(join(import.meta.dirname, 'restore-process.js'), [from.url, to.url, point], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  assert.is(signal, 'SIGKILL', `it was not killed at ${point}`)
  return to
}
