import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { APPEND_SETTINGS, Appender } from '../../src/log/append.ts'
import { readHead, readStream } from '../../src/log/read.ts'
import { Connection } from '../../src/pg/connection.ts'
import { type Db, poolDb } from '../../src/pg/db.ts'
import { openPool } from '../../src/pg/pool.ts'
import { assert, rejection, suite } from '../harness.ts'
import { append, entry, refusal } from '../log/log-database.ts'
import { TEST_SITE, type TestDatabase, testDatabase } from '../support/database.ts'
import { LossyProxy, targetOf, urlThrough } from '../torture/proxy.ts'

const DEPTH = 50_000

let database: TestDatabase
let proxy: LossyProxy
let pool: pg.Pool
let db: Db
let owner: pg.Pool
let appender: Appender

suite('connection', test => {
  test.before(async () => {
    database = await testDatabase()
    proxy = await LossyProxy.listen(targetOf(database.url))
    const direct = { url: database.url, site: TEST_SITE, restricted: true }
    const through = { ...direct, url: urlThrough(proxy.port, database.url) }
    pool = openPool({ ...direct, connectionsMax: 2 })
    db = poolDb(pool)
    owner = openPool({ ...direct, restricted: false, connectionsMax: 1 })
    appender = new Appender([new Connection(through)], () => {})
  })
  test.after(async () => {
    await appender.close()
    await pool.end()
    await owner.end()
    await proxy.close()
    await database.drop()
  })

  test('sends an append again whose answer was lost, and it is written once', async () => {
    const first = await append(appender, [entry()])
    proxy.set('lose-answer', 1)

    const given = entry()
    const second = await append(appender, [given])

    assert.equal([second.position, second.repeated], [first.position + 1, true])
    assert.is((await readHead(db)).position, second.position)
  })

  test('sends a whole batch again whose answer was lost', async () => {
    const taken = randomUUID()
    await append(appender, [entry({ stream: taken })])
    const { position } = await readHead(db)
    const stream = randomUUID()
    proxy.set('lose-answer', 1)

    const codes = await Promise.all([
      refusal(append(appender, [entry({ stream })])),
      ...Array.from({ length: 20 }, () => refusal(append(appender, [entry(), entry()]))),
      refusal(append(appender, [entry({ stream: taken })])),
    ])

    assert.equal([new Set(codes.slice(0, 21)), codes[21]], [new Set(['none']), 'REVISION_CONFLICT'])
    assert.is((await readHead(db)).position, position + 41)
  })

  test('opens a connection anew that was cut while nothing was under way', async () => {
    await append(appender, [entry()])
    proxy.cutAll()
    proxy.set('refuse', 2)

    const { position } = await append(appender, [entry()])

    assert.is((await readHead(db)).position, position)
  })

  test('says that nothing is known when answers go on being lost and the error is another', async () => {
    // deeper than the server reads, and so refused by nobody before
    const given = entry({ data: `{"a":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}` })
    proxy.set('lose-answer', 1)

    const error = (await rejection(append(appender, [given]))) as {
      code: string
      cause: { code: string }
    }

    assert.equal([error.code, error.cause.code], ['UNAVAILABLE', 'REQUEST_INVALID'])
    assert.is(await refusal(append(appender, [given])), 'REQUEST_INVALID')
    assert.equal(await readStream(db, given.stream, { from: 1 }), [])
  })

  test('gives up on a server that says nothing, and goes on when it does', async () => {
    const mute = new Connection({
      url: urlThrough(proxy.port, database.url),
      site: TEST_SITE,
      restricted: true,
      statementTimeoutMs: 100,
    })
    await mute.rows('select 1', [])
    proxy.set('silent')
    const error = await rejection(mute.rows('select 1', []))
    assert.is((error as { code: string }).code, 'UNAVAILABLE')

    proxy.set('pass')
    assert.equal(await mute.rows('select 1 as one', []), [{ one: 1 }])

    proxy.set('silent')
    const began = performance.now()
    await mute.close()
    assert.ok(performance.now() - began < 3_000)
    proxy.set('pass')
  })

  test('tells a transaction whose connection was killed, and lives on', async () => {
    const error = await rejection(
      db.transaction(async inside => {
        const [{ pid } = { pid: 0 }] = await inside.rows<{ pid: number }>(
          'select pg_backend_pid() as pid',
        )
        await owner.query('select pg_terminate_backend($1)', [pid])
        await new Promise(resolve => setTimeout(resolve, 50))
        await inside.rows('select 1')
      }),
    )
    assert.is((error as { code: string }).code, 'UNAVAILABLE')

    const during = await rejection(
      db.transaction(async inside => {
        const sleeping = inside.rows('select pg_sleep(5)')
        await Promise.all([sleeping, killWhile('select pg_sleep(5)')])
      }),
    )
    assert.is((during as { code: string }).code, 'UNAVAILABLE')
    assert.is((await db.rows('select 1')).length, 1)
  })

  test('has the server walk indexes for an append, and not compile its plans', async () => {
    const lane = new Connection({
      url: database.url,
      site: TEST_SITE,
      restricted: true,
      settings: APPEND_SETTINGS,
    })

    const shown = await lane.rows(
      `select current_setting('jit') as jit, current_setting('enable_seqscan') as scans`,
      [],
    )
    await lane.close()

    assert.equal(shown, [{ jit: 'off', scans: 'off' }])
  })

  test('to the managed server cannot get back more rights than the app has', async () => {
    await pool.query('reset role')
    await pool.query('reset session authorization')
    const { rows } = await pool.query(
      `select current_user::text as now, session_user::text as login`,
    )
    const refused = await rejection(db.rows('set role postgres'))

    assert.equal(rows, [{ now: `${TEST_SITE}_app`, login: `${TEST_SITE}_app` }])
    assert.is((refused as { code: string }).code, '42501')
  })

  test('keeps its role and schema when the URL brings options of its own', async () => {
    const url = new URL(database.url)
    url.searchParams.set('options', '-c search_path=public -c role=postgres -c work_mem=5MB')
    const other = openPool({ url: url.href, site: TEST_SITE, restricted: true, connectionsMax: 1 })

    const { rows } = await other.query(
      `select current_user::text as role, current_schema()::text as schema, current_setting('work_mem') as memory`,
    )
    await other.end()

    assert.equal(rows, [{ role: `${TEST_SITE}_app`, schema: TEST_SITE, memory: '5MB' }])
  })
})

/** Kills the backend that runs a statement, as soon as it does. */
async function killWhile(text: string): Promise<void> {
  for (let killed = 0; killed === 0; ) {
    const { rowCount } = await owner.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where query = $1 and pid <> pg_backend_pid()',
      [text],
    )
    killed = rowCount ?? 0
  }
}
