import { Rm3Error } from '../../src/errors.ts'
import { APPEND_SETTINGS, Appender } from '../../src/log/append.ts'
import type { AppendRequest } from '../../src/log/batch.ts'
import type { LogEntry } from '../../src/log/event.ts'
import { readHead, readStream } from '../../src/log/read.ts'
import { Connection } from '../../src/pg/connection.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE } from '../support/database.ts'
import { append, entry, type LogDatabase, logDatabase, refusal } from './log-database.ts'

let log: LogDatabase

suite('appends that rest on rights', test => {
  test.before(async () => {
    log = await logDatabase()
    await put({ rights: true })
  })
  test.after(() => log.close())

  test('are written while the rights stay as they were', async () => {
    const rightsAt = await rightsNow()

    assert.is(await put({ rightsAt }), 'none')
    assert.is(await put({}), 'none')
    assert.is(await put({ rightsAt }), 'none')
    assert.is(await rightsNow(), rightsAt)
  })

  test('are refused once any process changed rights', async () => {
    const rightsAt = await rightsNow()
    await put({ rights: true }, log.another(1))
    const refused = entry()

    assert.is(await put({ rightsAt }, log.appender, refused), 'RIGHTS_CHANGED')
    assert.equal(await readStream(log.db, refused.stream, { from: 1 }), [])
    assert.is(await put({ rightsAt: rightsAt + 1000 }), 'RIGHTS_CHANGED')
    assert.is(await put({ rightsAt: await rightsNow() }), 'none')
  })

  test('are each told for themselves when they arrive together', async () => {
    const before = await rightsNow()
    await put({ rights: true })
    const now = await rightsNow()
    const appender = log.another(1)

    const told = await Promise.all([
      put({ rightsAt: before }, appender),
      put({ rightsAt: now }, appender),
      put({}, appender),
      put({ rightsAt: before }, appender),
      put({ rightsAt: now }, appender),
    ])
    assert.equal(told, ['RIGHTS_CHANGED', 'none', 'none', 'RIGHTS_CHANGED', 'none'])
  })

  test('are refused behind a change of rights that arrived at the same moment, and written before one', async () => {
    const rightsAt = await rightsNow()
    const appender = log.another(1)

    const told = await Promise.all([
      put({ rightsAt }, appender),
      put({ rights: true }, appender),
      put({ rightsAt }, appender),
    ])
    assert.equal(told, ['none', 'none', 'RIGHTS_CHANGED'])
  })

  test('are not said to be unwritten when their answer was lost and rights changed since', async () => {
    const rightsAt = await rightsNow()
    const given = entry()
    const settings = APPEND_SETTINGS
    const real = new Connection({ url: log.url, site: TEST_SITE, restricted: true, settings })
    const appender = new Appender([loses(real)], () => {})

    assert.is(await put({ rightsAt }, appender, given), 'UNAVAILABLE')
    assert.is((await readStream(log.db, given.stream, { from: 1 })).length, 1)
    await appender.close()
  })
})

/** A connection that loses the answer to its first append, and is back only after rights were changed. */
function loses(real: Connection): Connection {
  const answers = ['lost']
  const rows: Connection['rows'] = async (text, values) => {
    const answer = await real.rows(text, values)
    if (!text.includes('from append(') || answers.pop() === undefined) return answer as never
    await put({ rights: true })
    throw new Rm3Error('UNAVAILABLE', 'lost')
  }
  return { rows, close: () => real.close() } as Connection
}

async function rightsNow(): Promise<number> {
  return (await readHead(log.db)).rightsPosition
}

function put(
  more: Partial<AppendRequest>,
  appender: Appender = log.appender,
  event: LogEntry = entry(),
): Promise<string> {
  return refusal(append(appender, [event], [], more))
}
