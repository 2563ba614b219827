import { randomUUID } from 'node:crypto'
import { bodyHash } from '../../src/log/event.ts'
import { readHead } from '../../src/log/read.ts'
import { type LogFault, verifyLog } from '../../src/log/verify.ts'
import { assert, suite } from '../harness.ts'
import { append, entry, type LogDatabase, logDatabase } from './log-database.ts'

let log: LogDatabase
const EVENTS = 12

suite('verify', test => {
  test.before(async () => {
    log = await logDatabase()
  })
  test.after(() => log.close())

  test('proves an empty log and a whole one', async () => {
    await log.empty()
    assert.equal((await verifyLog(log.db)).events, 0)

    await writeSome()

    const proof = await verifyLog(log.db)
    assert.is(proof.fault, null)
    assert.is(proof.events, EVENTS)
    assert.is(proof.chain, (await readHead(log.db)).chain)
  })

  const columns: Record<string, [string, LogFault['rule']]> = {
    at: [`at + interval '1 millisecond'`, 'header-altered'],
    recorded_at: [`recorded_at + interval '1 millisecond'`, 'header-altered'],
    event_id: [last('event_id', 'uuid'), 'header-altered'],
    stream: [last('stream', 'uuid'), 'header-altered'],
    revision: ['revision + 100', 'header-altered'],
    version: ['version + 1', 'header-altered'],
    type: [`replace(type, 'v', 'w')`, 'header-altered'],
    actor: [`'toor'`, 'header-altered'],
    note: [`replace(note, 'e', 'f')`, 'body-altered'],
    meta: [`replace(meta::text, 'a', 'b')::json`, 'body-altered'],
    data: [`replace(data::text, ' ', '')::json`, 'body-altered'],
    salt: ['set_byte(salt, 15, get_byte(salt, 15) # 1)', 'body-altered'],
    body_hash: ['set_byte(body_hash, 31, get_byte(body_hash, 31) # 1)', 'body-altered'],
    chain: ['set_byte(chain, 0, get_byte(chain, 0) # 128)', 'header-altered'],
  }
  for (const [column, [value, rule]] of Object.entries(columns)) {
    test(`finds one altered byte in ${column} of any row`, async () => {
      for (const position of [1, 7, EVENTS - 1, EVENTS]) {
        await writeSome()
        await asOwner(`update log set ${column} = ${value} where position = ${position}`)
        await found(position, rule)
      }
    })
  }

  test('finds what was emptied in part, or emptied of its salt and written anew', async () => {
    for (const change of [
      `salt = null`,
      `data = null`,
      `note = null`,
      `salt = null, note = null, data = null`,
    ]) {
      await writeSome()
      await asOwner(`update log set ${change} where position = 5`)
      await found(5, 'body-altered')
    }
  })

  test('finds a deleted row, the first, last and second last too', async () => {
    for (const position of [1, 6, EVENTS - 1, EVENTS]) {
      await writeSome()
      await asOwner(`delete from log where position = ${position}`)
      await found(position, 'position-missing')
    }
  })

  test('finds two rows that were swapped', async () => {
    await writeSome()
    await asOwner(`update log set position = -4 where position = 4; update log set position = 4 where position = 5;
      update log set position = 5 where position = -4`)
    await found(4, 'header-altered')
  })

  test('finds a tail that was cut off, with and without the head set back', async () => {
    await writeSome()
    await asOwner('delete from log where position > 9')
    await found(10, 'position-missing')

    await asOwner('update log_head set position = 9')
    await found(9, 'head-differs')
  })

  test('finds a head that was altered', async () => {
    const changes: [string, number, LogFault['rule']][] = [
      ['position = position + 1', EVENTS + 1, 'position-missing'],
      ['position = position - 1', EVENTS - 1, 'head-differs'],
      [`chain = sha256('')`, EVENTS, 'head-differs'],
      [`recorded_at = recorded_at - interval '1 ms'`, EVENTS, 'head-differs'],
      [`recorded_at = recorded_at + interval '1 ms'`, EVENTS, 'head-differs'],
      [
        `position = 9, chain = (select chain from log where position = 9), recorded_at = (select recorded_at from log where position = 9)`,
        10,
        'position-unexpected',
      ],
    ]
    for (const [change, position, rule] of changes) {
      await writeSome()
      await asOwner(`update log_head set ${change}`)
      await found(position, rule)
    }
  })

  test('finds a doubled row, wherever it was put', async () => {
    const copy = (position: string) =>
      `insert into log select ${position}, at, recorded_at, gen_random_uuid(), stream, revision + 50, version, type, actor,
        note, meta, data, salt, body_hash, chain from log where position = 6`
    await writeSome()
    await asOwner(copy(`${EVENTS} + 1`))
    await found(EVENTS + 1, 'position-unexpected')

    await writeSome()
    await asOwner(copy('0'))
    await found(0, 'position-unexpected')

    await writeSome()
    await asOwner(`alter table log drop constraint log_position; ${copy('6')}`)
    await foundOneOf(6, ['position-unexpected', 'header-altered'])
    await log.empty()
    await asOwner('alter table log add constraint log_position primary key (position)')
  })

  test('finds a row twice also where one batch of reading ends', async () => {
    await log.empty()
    for (let n = 0; n < 4; n++) {
      await append(
        log.appender,
        Array.from({ length: 100 }, () => entry()),
      )
    }
    await asOwner(`alter table log drop constraint log_position;
      insert into log select 200, at, recorded_at, gen_random_uuid(), stream, 9, version, type, actor, note, meta, data, salt,
        body_hash, chain from log where position = 200`)
    await foundOneOf(200, ['position-unexpected', 'header-altered'])
    await log.empty()
    await asOwner('alter table log add constraint log_position primary key (position)')
  })

  test('finds a revision that a wrong writer left out, although the chain is right', async () => {
    await log.empty()
    const stream = randomUUID()
    await append(log.appender, [entry({ stream }), entry()])
    const events = [entry({ stream, revision: 2 }), entry({ stream, revision: 4 }), entry()]
    await appendUnchecked(events)

    await found(4, 'revision-missing')
  })

  test('finds time that runs backwards, although the chain is right', async () => {
    await log.empty()
    await append(log.appender, [entry()])
    await asOwner(`update log_head set recorded_at = '2016-01-01'`)
    await append(log.appender, [entry({ recordedAt: '2016-01-02T00:00:00.000Z' })])

    await found(2, 'time-decreases')
  })

  test('reads to where the log ended at the start while it grows', async () => {
    await writeSome()
    let progress = 0
    const proof = await verifyLog(
      {
        ...log.db,
        rows: async (text, values) => {
          await append(log.appender, [entry()])
          return log.db.rows(text, values)
        },
      },
      done => {
        progress = done
      },
    )

    assert.is(proof.fault, null)
    assert.is(proof.events, EVENTS + 1)
    assert.is(progress, EVENTS + 1)
  })
})

/** An empty log with EVENTS events in three streams. */
async function writeSome(): Promise<void> {
  await log.empty()
  const streams = [randomUUID(), randomUUID(), randomUUID()]
  for (let n = 0; n < EVENTS; n += 3) {
    await append(
      log.appender,
      streams.map(stream =>
        entry({ stream, revision: n / 3 + 1, note: 'here', meta: '{"a":1}', data: '{ "n": 1 }' }),
      ),
    )
  }
}

function last(column: string, type: string): string {
  return `(substr(${column}::text, 1, 35) || case when ${column}::text ~ '0$' then '1' else '0' end)::${type}`
}

async function asOwner(change: string): Promise<void> {
  await log.owner.script(
    `begin; alter table log disable trigger all; ${change}; alter table log enable trigger all; commit`,
  )
}

async function found(position: number, rule: LogFault['rule']): Promise<void> {
  await foundOneOf(position, [rule])
}

async function foundOneOf(position: number, rules: LogFault['rule'][]): Promise<void> {
  const { fault } = await verifyLog(log.db)
  assert.is(fault?.position, position, `found ${JSON.stringify(fault)}`)
  assert.ok(fault && rules.includes(fault.rule), `found ${JSON.stringify(fault)}`)
}

const SALT = Buffer.alloc(16)

/** As the app role may do that speaks to the SQL function itself. */
async function appendUnchecked(events: ReturnType<typeof entry>[]): Promise<void> {
  const rows = events.map(({ eventId, at, ...columns }) => ({
    append: 0,
    ...columns,
    event_id: eventId,
    at,
    meta: {},
    data: {},
    salt: `\\x${SALT.toString('hex')}`,
    body_hash: `\\x${bodyHash(SALT, null, null, null).toString('hex')}`,
  }))
  for (const row of rows) Object.assign(row, { meta: null, data: null })
  await log.db.rows(
    `select * from append(array(select e from json_populate_recordset(null::new_event, $1::json) e), false, null)`,
    [JSON.stringify(rows)],
  )
}
