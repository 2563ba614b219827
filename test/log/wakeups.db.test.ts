import type pg from 'pg'
import { Appender } from '../../src/log/append.ts'
import { Wakeups } from '../../src/log/wakeups.ts'
import { Connection } from '../../src/pg/connection.ts'
import { Listener } from '../../src/pg/listen.ts'
import type { PoolOptions } from '../../src/pg/pool.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE, type TestDatabase, testDatabase } from '../support/database.ts'
import { LossyProxy, targetOf, urlThrough } from '../torture/proxy.ts'
import { append, entry, plainClient } from './log-database.ts'

let database: TestDatabase
let options: PoolOptions
let listening: pg.Client
const notices: number[] = []

suite('wakeups', test => {
  test.before(async () => {
    database = await testDatabase()
    options = { url: database.url, site: TEST_SITE, restricted: true }
    listening = await plainClient(database.url)
    listening.on('notification', ({ payload }) => notices.push(Number(payload)))
    await listening.query(`listen ${TEST_SITE}_log`)
  })
  test.after(async () => {
    await listening.end()
    await database.drop()
  })

  test('tell other processes once of appends that came together', async () => {
    const wakeups = new Wakeups(new Listener(options))
    const appender = new Appender([new Connection(options)], at => wakeups.appended(at))

    const all = await Promise.all(Array.from({ length: 100 }, () => append(appender, [entry()])))
    const last = Math.max(...all.map(({ position }) => position))
    await until(() => notices.at(-1) === last)
    await appender.close()
    await wakeups.close()

    assert.ok(notices.length <= 3, notices.join())
  })

  test('tell other processes of an append just before the end too', async () => {
    const wakeups = new Wakeups(new Listener(options))
    const appender = new Appender([new Connection(options)], at => wakeups.appended(at))
    notices.length = 0

    const { position } = await append(appender, [entry()])
    await appender.close()
    await wakeups.close()
    await until(() => notices.includes(position))

    assert.equal(notices, [position])
  })

  test('send the last position, on one connection, however slowly the database answers', async () => {
    await until(async () => (await connections()) === 0) // those of the test before end in their own time
    const proxy = await LossyProxy.listen(targetOf(database.url))
    const listener = new Listener({ ...options, url: urlThrough(proxy.port, database.url) })
    notices.length = 0

    for (let position = 1; position <= 50; position++) listener.notify(String(position))
    await until(() => notices.at(-1) === 50)
    const count = await connections()
    await listener.close()
    await proxy.close()

    assert.equal(notices, [1, 50])
    assert.is(count, 1)
  })
})

/** Connections that notices are sent on. */
async function connections(): Promise<number> {
  const { rows } = await listening.query<{ count: number }>(
    `select count(*)::int from pg_stat_activity
     where datname = current_database() and application_name = 'rm3 notices'`,
  )
  return rows[0]?.count ?? 0
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(resolve => setTimeout(resolve, 5))
}
