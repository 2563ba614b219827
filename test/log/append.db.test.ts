import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { READ_MAX, readHead, readLog, readStream } from '../../src/log/read.ts'
import { verifyLog } from '../../src/log/verify.ts'
import { anyJson } from '../codec/any-json.ts'
import { assert, rejection, suite } from '../harness.ts'
import { AT, append, entry, type LogDatabase, logDatabase, refusal } from './log-database.ts'

let log: LogDatabase

suite('append', test => {
  test.before(async () => {
    log = await logDatabase()
  })
  test.after(() => log.close())

  test('gives dense positions from 1 in the order of the events', async () => {
    const first = await append(log.appender, [entry(), entry()])
    const second = await append(log.appender, [entry()])

    assert.is(first.position, 1)
    assert.is(second.position, 3)
    assert.is(first.repeated, false)
    assert.equal(
      (await readLog(log.db, 0)).map(event => event.position),
      [1, 2, 3],
    )
  })

  test('keeps every column as it was given', async () => {
    const given = entry({
      note: 'a\n"note" – 𝄞',
      meta: '{"door":"cli"}',
      version: 7,
      actor: 'nobody',
    })
    const { position, recordedAt } = await append(log.appender, [given])

    const [event] = await readStream(log.db, given.stream, { from: 1 })
    const { recordedAt: _, ...columns } = { ...given, recordedAt }
    assert.equal(event, { ...columns, position, recordedAt })
  })

  test('refuses a stale and a premature revision with the actual one', async () => {
    const { stream } = await written(3)

    for (const revision of [1, 3, 5]) {
      const error = await rejection(append(log.appender, [entry({ stream, revision })]))
      const { code, details } = error as { code: string; details: object }
      assert.is(code, 'REVISION_CONFLICT')
      assert.equal(details, { stream, expected: revision - 1, actual: 3 })
    }
    assert.is((await readStream(log.db, stream, { from: 1 })).length, 3)
  })

  test('writes all events over several streams or none', async () => {
    const { stream } = await written(1)
    const other = randomUUID()

    const code = await refusal(
      append(log.appender, [
        entry({ stream: other }),
        entry({ stream, revision: 2 }),
        entry({ stream: other, revision: 2 }),
        entry({ stream: randomUUID(), revision: 2 }),
      ]),
    )

    assert.is(code, 'REVISION_CONFLICT')
    assert.equal(await readStream(log.db, other, { from: 1 }), [])
    assert.is((await readStream(log.db, stream, { from: 1 })).length, 1)
  })

  test('gives the first answer again when the same events come again', async () => {
    const events = [entry({ note: 'once' }), entry()] as const
    const first = await append(log.appender, events)
    await append(log.appender, [entry()])

    const again = await append(log.appender, [
      { ...events[0], at: '2021-01-01T00:00:00.000Z', meta: '{"request":"2"}' },
      events[1],
    ])

    assert.equal(again, { ...first, repeated: true })
    assert.is((await readHead(log.db)).position, first.position + 2)
  })

  test('gives the first answer again although the stream has moved on', async () => {
    const first = entry()
    const { position } = await append(log.appender, [first])
    await append(log.appender, [entry({ stream: first.stream, revision: 2 })])

    assert.is((await append(log.appender, [first])).position, position)
  })

  test('refuses an append of which only a part is in the log', async () => {
    const events = [entry(), entry(), entry()] as const
    await append(log.appender, [events[0], events[1]])
    await append(log.appender, [entry()])
    const { position } = await readHead(log.db)
    const fresh = entry()

    assert.is(await refusal(append(log.appender, events)), 'EVENT_ID_REUSED')
    assert.is(await refusal(append(log.appender, [fresh, events[1]])), 'EVENT_ID_REUSED')
    assert.is(await refusal(append(log.appender, [events[0], fresh])), 'EVENT_ID_REUSED')
    assert.is(await refusal(append(log.appender, [events[1], events[0]])), 'EVENT_ID_REUSED')
    assert.is((await append(log.appender, [events[1]])).repeated, true)
    assert.is((await readHead(log.db)).position, position)
    assert.equal(await readStream(log.db, fresh.stream, { from: 1 }), [])
  })

  test('refuses an event id that was used for something else', async () => {
    const first = entry({ note: null })
    await append(log.appender, [first])

    for (const other of [
      { data: '{"n":2}' },
      { data: '{"n": 1}' },
      { note: '' },
      { stream: randomUUID() },
      { type: 'PageMoved' },
      { version: 2 },
      { actor: 'nobody' },
    ]) {
      const code = await refusal(append(log.appender, [{ ...first, ...other }]))
      assert.is(code, 'EVENT_ID_REUSED', JSON.stringify(other))
    }
    const twice = entry()
    const code = await refusal(append(log.appender, [twice, { ...twice, stream: randomUUID() }]))
    assert.is(code, 'EVENT_ID_REUSED')
  })

  test('answers each of a batch of repeats, conflicts, errors and good ones for itself', async () => {
    const known = entry()
    const { position } = await append(log.appender, [known])
    const { stream } = await written(2)
    const half = entry()
    const jobs = Array.from({ length: 60 }, (_, index) => {
      const kind = index % 6
      const bad = [{ writer: 'put_tags', row: {} }]
      if (kind === 0) return append(log.appender, [known]).then(it => it.position)
      if (kind === 1) return refusal(append(log.appender, [entry({ stream, revision: 9 })]))
      if (kind === 2) return refusal(append(log.appender, [known, half]))
      if (kind === 3) return refusal(append(log.appender, [entry()], bad))
      if (kind === 4) return refusal(append(log.appender, [entry({ data: '{"a":"\\ud800"}' })]))
      return append(log.appender, [entry(), entry()]).then(it => it.repeated)
    })

    const answers = await Promise.all(jobs)

    answers.forEach((answer, index) => {
      const wanted = [
        position,
        'REVISION_CONFLICT',
        'EVENT_ID_REUSED',
        '23502',
        'REQUEST_INVALID',
        false,
      ]
      assert.is(answer, wanted[index % 6], `job ${index}`)
    })
    assert.is((await verifyLog(log.db)).fault, null)
  })

  test('fails only the one append of 50 that violates a constraint of a projection', async () => {
    const before = (await readHead(log.db)).position
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        refusal(
          append(log.appender, [entry()], index === 23 ? [{ writer: 'put_tags', row: {} }] : []),
        ),
      ),
    )

    assert.equal(
      answers.flatMap((code, index) => (code === 'none' ? [] : [index, code])),
      [23, '23502'],
    )
    assert.is((await readHead(log.db)).position, before + 49)
  })

  test('takes appends to one stream in the order in which they were asked for', async () => {
    const stream = randomUUID()
    const other = randomUUID()
    const jobs = Array.from({ length: 40 }, (_, index) => {
      const events = [entry({ stream, revision: index + 1 })]
      if (index % 4 === 0) events.push(entry({ stream: other, revision: index / 4 + 1 }))
      return append(log.appender, events)
    })

    const positions = (await Promise.all(jobs)).map(({ position }) => position)

    assert.equal(
      positions,
      positions.toSorted((a, b) => a - b),
    )
  })

  test('keeps the order of each stream when three processes with two lanes each write', async () => {
    await log.empty()
    const appenders = [log.another(), log.another(), log.another()]
    const streams = Array.from({ length: 5 }, () => randomUUID())
    const acknowledged = await Promise.all(
      appenders.flatMap(appender =>
        Array.from({ length: 8 }, async (_, writer) => {
          let done = 0
          for (let round = 0; round < 15; round++) {
            const stream = streams[(writer + round) % streams.length] as string
            const revision = (await readStream(log.db, stream, { from: 1 })).length + 1
            const code = await refusal(append(appender, [entry({ stream, revision })]))
            if (code === 'none') done++
            else assert.is(code, 'REVISION_CONFLICT')
          }
          return done
        }),
      ),
    )

    const events = await readLog(log.db, 0)
    assert.is(
      events.length,
      acknowledged.reduce((sum, done) => sum + done),
    )
    assert.is((await verifyLog(log.db)).fault, null)
  })

  test('tells the last position once for each batch that wrote', async () => {
    const appender = log.another(1)
    log.told.length = 0
    const together = () =>
      Promise.all(Array.from({ length: 30 }, () => append(appender, [entry(), entry()])))
    await together()
    const answers = await together()
    await refusal(append(appender, [entry({ revision: 5 })]))

    assert.is(log.told.length, 2)
    assert.is(log.told.at(-1), Math.max(...answers.map(({ position }) => position)) + 1)
  })

  test('never lets recorded_at decrease, also when the clock steps back', async () => {
    const ahead = new Date(Date.now() + 3_600_000).toISOString()
    await log.empty()
    await log.owner.rows(`update log_head set recorded_at = $1::timestamptz`, [ahead])

    const first = await append(log.appender, [entry(), entry({ recordedAt: AT })])
    const second = await append(log.appender, [entry()])

    assert.is(first.recordedAt, ahead)
    assert.is(second.recordedAt, ahead)
    assert.is((await verifyLog(log.db)).fault, null)
  })

  test('records an import at its original instants, raised where they step back or lie ahead', async () => {
    await log.empty()
    const at = (recordedAt: string) => entry({ recordedAt })
    await append(log.appender, [at('2016-01-01T00:00:00.000Z'), at('2015-01-01T00:00:00.000Z')])
    await append(log.appender, [at('2017-01-01T00:00:00.001Z'), at('2099-01-01T00:00:00.000Z')])

    const recorded = (await readLog(log.db, 0)).map(event => event.recordedAt)
    assert.equal(recorded.slice(0, 3), [
      '2016-01-01T00:00:00.000Z',
      '2016-01-01T00:00:00.000Z',
      '2017-01-01T00:00:00.001Z',
    ])
    assert.ok(Math.abs(Date.parse(recorded[3] ?? '') - Date.now()) < 60_000)
  })

  test('gives back every byte of note, meta and data', async () => {
    const spaced = fc.tuple(anyJson(), fc.constantFrom(0, 1, 3)).map(([value, indent]) => {
      return JSON.stringify({ a: value, 'é𝄞': [value] }, null, indent).replaceAll('":', '" : ')
    })
    const wellFormed = fc.string({ unit: 'binary', maxLength: 200 })
    const note = fc.option(wellFormed.map(text => text.replaceAll('\0', '')))
    const escaped = fc.constantFrom(
      '{"\\u0041\\u00e9\\/\\uD834\\uDD1E":1.50e+3,"":-0}',
      '{\n\t}',
      '{}',
    )

    await fc.assert(
      fc.asyncProperty(fc.oneof(spaced, escaped), escaped, note, async (data, meta, text) => {
        const given = entry({ data, meta, note: text })
        if (/\\u(?:0000|d[89a-f])/.test(data)) return // refused, see below
        await append(log.appender, [given])
        const [event] = await readStream(log.db, given.stream, { from: 1 })
        assert.is(event?.data, data)
        assert.is(event?.meta, meta)
        assert.is(event?.note, text)
      }),
      { numRuns: 60 },
    )
    const long = entry({ data: `{"text":"${'zwölf Boxkämpfer '.repeat(100_000)}"}` })
    await append(log.appender, [long])
    assert.is((await readStream(log.db, long.stream, { from: 1 }))[0]?.data, long.data)
    assert.is((await verifyLog(log.db)).fault, null)
  })

  test('refuses what PostgreSQL does not keep as JSON or text', async () => {
    for (const data of [
      '{"a":"\\u0000"}',
      '{"a":"\\ud800"}',
      '{"a":"\\udc00\\ud800"}',
      deep(400_000),
    ]) {
      const code = await refusal(append(log.appender, [entry({ data })]))
      assert.is(code, 'REQUEST_INVALID', data.slice(0, 30))
    }
    assert.is(await refusal(append(log.appender, [entry({ note: 'a\0b' })])), 'REQUEST_INVALID')
  })

  test('ends cleanly: what waits is written, what comes later is refused', async () => {
    const appender = log.another(1)
    const jobs = Array.from({ length: 20 }, () => refusal(append(appender, [entry()])))
    const closed = appender.close()

    assert.is(await refusal(append(appender, [entry()])), 'UNAVAILABLE')
    await closed
    assert.equal(new Set(await Promise.all(jobs)), new Set(['none']))
  })

  test('refuses more than it may keep in memory', async () => {
    const appender = log.another(1)
    const data = `{"a":"${'x'.repeat(4_000_000)}"}`
    const jobs = Array.from({ length: 20 }, () => refusal(append(appender, [entry({ data })])))

    const codes = await Promise.all(jobs)
    assert.ok(codes.filter(code => code === 'LOG_BUSY').length >= 3)
    assert.ok(codes.filter(code => code === 'none').length >= 15)
  })
})

function deep(levels: number): string {
  return `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`
}

/** A stream with some events. */
async function written(revisions: number): Promise<{ stream: string }> {
  const stream = randomUUID()
  assert.ok(revisions <= READ_MAX)
  const events = Array.from({ length: revisions }, (_, n) => entry({ stream, revision: n + 1 }))
  await append(log.appender, events)
  return { stream }
}
