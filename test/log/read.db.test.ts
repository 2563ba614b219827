import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { CHAIN_START, chainLink } from '../../src/log/chain.ts'
import { bodyHash } from '../../src/log/event.ts'
import {
  findEvent,
  findPosition,
  READ_MAX,
  readHead,
  readLog,
  readPositionAt,
  readStream,
  readStreamBackwards,
  readTypes,
} from '../../src/log/read.ts'
import { assert, suite } from '../harness.ts'
import { AT, append, entry, type LogDatabase, logDatabase } from './log-database.ts'

let log: LogDatabase

suite('read', test => {
  test.before(async () => {
    log = await logDatabase()
  })
  test.after(() => log.close())

  test('finds nothing in an empty log', async () => {
    const head = await readHead(log.db)

    assert.is(head.position, 0)
    assert.is(head.recordedAt, '-infinity')
    assert.is(head.chain, CHAIN_START.toString('hex'))
    assert.equal(await readLog(log.db, 0), [])
    assert.equal(await readStream(log.db, randomUUID(), { from: 1 }), [])
    assert.equal(await readStreamBackwards(log.db, randomUUID(), { limit: 5 }), [])
    assert.equal(await readTypes(log.db, 0, ['PageRevised']), { events: [], scanned: 0 })
    assert.is(await readPositionAt(log.db, '2099-01-01T00:00:00.000Z'), 0)
    assert.is(await findEvent(log.db, randomUUID()), null)
    assert.is(await findPosition(log.db, 1), null)
  })

  test('gives a range of a stream in either direction', async () => {
    const stream = randomUUID()
    await append(
      log.appender,
      Array.from({ length: 9 }, (_, n) => entry({ stream, revision: n + 1 })),
    )
    await append(log.appender, [entry()])
    const revisions = async (range: { from: number; to?: number; limit?: number }) =>
      (await readStream(log.db, stream, range)).map(({ revision }) => revision)
    const backwards = async (range: { before?: number; limit: number }) =>
      (await readStreamBackwards(log.db, stream, range)).map(({ revision }) => revision)

    assert.equal(await revisions({ from: 7 }), [7, 8, 9])
    assert.equal(await revisions({ from: 0, to: 2 }), [1, 2])
    assert.equal(await revisions({ from: 3, to: 8, limit: 2 }), [3, 4])
    assert.equal(await revisions({ from: 10 }), [])
    assert.equal(await revisions({ from: 5, to: 4 }), [])
    assert.equal(await backwards({ limit: 2 }), [9, 8])
    assert.equal(await backwards({ before: 3, limit: 5 }), [2, 1])
    assert.equal(await backwards({ before: 1, limit: 5 }), [])
  })

  test('finds an event by its id and by its position', async () => {
    const given = entry()
    const { position } = await append(log.appender, [given])

    assert.is((await findEvent(log.db, given.eventId))?.position, position)
    assert.is((await findPosition(log.db, position))?.eventId, given.eventId)
    assert.is(await findPosition(log.db, position + 1), null)
  })

  test('gives the log in batches without a gap or a double', async () => {
    await fill(2_500)
    const positions: number[] = []
    for (let after = 0; ; ) {
      const events = await readLog(log.db, after)
      if (events.length === 0) break
      assert.ok(events.length <= READ_MAX)
      positions.push(...events.map(({ position }) => position))
      after = positions.at(-1) ?? 0
    }

    assert.equal(
      positions,
      Array.from({ length: 2_500 }, (_, n) => n + 1),
    )
    assert.is((await readLog(log.db, 2_400, 7)).length, 7)
    assert.is((await readLog(log.db, 0, 1_000_000)).length, READ_MAX)
  })

  test('gives the events of some types and how far it has looked', async () => {
    await fill(2_500)
    const found: number[] = []
    const looked: number[] = []
    for (let after = 0; ; ) {
      const { events, scanned } = await readTypes(log.db, after, ['TypeH', 'TypeJ', 'Nothing'])
      if (scanned === after) break
      found.push(...events.map(({ position }) => position))
      looked.push(scanned)
      after = scanned
    }

    assert.equal(looked, [1_000, 2_000, 2_500])
    const wanted = Array.from({ length: 2_500 }, (_, n) => n + 1).filter(
      n => n % 10 === 7 || n % 10 === 9,
    )
    assert.equal(found, wanted)
    assert.equal(await readTypes(log.db, 9_000, ['TypeH']), { events: [], scanned: 9_000 })
  })

  test('finds the last position recorded by an instant as a search from the start does', async () => {
    const start = Date.parse('2020-01-01T00:00:00.000Z')
    const steps = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 40 })
    const asked = fc.array(fc.integer({ min: -2, max: 130 }), { minLength: 1, maxLength: 8 })

    await fc.assert(
      fc.asyncProperty(steps, asked, async (gaps, offsets) => {
        await log.empty()
        let time = start
        const times = gaps.map(gap => (time += gap))
        await append(
          log.appender,
          times.map(at => entry({ recordedAt: new Date(at).toISOString() })),
        )
        for (const offset of offsets) {
          const wanted = times.filter(at => at <= start + offset).length
          const instant = new Date(start + offset).toISOString()
          assert.is(await readPositionAt(log.db, instant), wanted)
          const later = instant.replace('Z', '9Z')
          assert.is(await readPositionAt(log.db, later), wanted)
        }
      }),
      { numRuns: 25 },
    )
  })

  test('computes the same chain in SQL and in TypeScript', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 }).map(it => it.replaceAll('\0', ''))
    const given = fc.record({
      type: fc.stringMatching(/^[A-Z][A-Za-z]{0,63}$/),
      version: fc.integer({ min: 1, max: 32_767 }),
      actor: fc.stringMatching(/^[a-z0-9-]{1,64}$/),
      at: fc
        .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
        .map(date => date.toISOString()),
      note: fc.option(text),
      data: text.map(value => JSON.stringify({ value })),
    })
    await log.empty()

    await fc.assert(
      fc.asyncProperty(fc.array(given, { minLength: 1, maxLength: 4 }), async all => {
        const before = await readHead(log.db)
        const { position } = await append(
          log.appender,
          all.map(one => entry(one)),
        )
        let chain: Buffer = Buffer.from(before.chain, 'hex')
        for (const row of await hashedRows(position)) {
          assert.equal(row.bodyHash, bodyHash(row.salt, row.note, row.meta, row.data))
          chain = chainLink(chain, row, row.bodyHash)
          assert.equal(row.chain, chain)
        }
        assert.is((await readHead(log.db)).chain, chain.toString('hex'))
      }),
      { numRuns: 50 },
    )
  })

  test('uses an index for every read of a log of 50,000 events', async () => {
    await fill(50_000)
    const stream = '00000000-0000-4000-8000-000000000001'
    const queries: [string, () => Promise<unknown>][] = [
      ['log_stream_revision', () => readStream(log.owner, stream, { from: 10 })],
      ['log_stream_revision', () => readStreamBackwards(log.owner, stream, { limit: 10 })],
      ['log_position', () => readLog(log.owner, 40_000)],
      ['log_position', () => readTypes(log.owner, 40_000, ['TypeH'])],
      ['log_event_id', () => findEvent(log.owner, stream)],
      ['log_position', () => findPosition(log.owner, 40_000)],
    ]
    for (const [index, read] of queries) {
      const before = await scans()
      await read()
      const after = await scans()
      assert.is(after['log'], before['log'], `${index}: the whole log was read`)
      assert.ok((after[index] ?? 0) > (before[index] ?? 0), `${index} was not used`)
    }
    const before = await scans()
    assert.is(await readPositionAt(log.owner, '2020-01-01T06:00:00.000Z'), 21_601)
    const after = await scans()
    assert.is(after['log'], before['log'])
    assert.ok((after['log_position'] ?? 0) - (before['log_position'] ?? 0) <= 17)
  })
})

/** A log of that many events, a second apart, in streams of 50. Their hashes are not right. */
async function fill(events: number): Promise<void> {
  await log.empty()
  await log.owner.rows(
    `insert into log (position, at, recorded_at, event_id, stream, revision, version, type, actor, meta, data, salt, body_hash, chain)
     select n, $2::timestamptz, timestamptz '2020-01-01' + (n - 1) * interval '1 second',
       ('10000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, ('00000000-0000-4000-8000-' || lpad(((n - 1) / 50)::text, 12, '0'))::uuid,
       (n - 1) % 50 + 1, 1, 'Type' || chr(65 + n % 10), 'root', '{}', '{}', '', sha256(''), sha256('')
     from generate_series(1, $1::int) n`,
    [events, AT],
  )
  await log.owner.rows(
    `update log_head set position = $1::bigint, recorded_at = (select max(recorded_at) from log)`,
    [events],
  )
  await log.owner.script('analyze log')
}

interface Hashed {
  readonly salt: Buffer
  readonly bodyHash: Buffer
  readonly chain: Buffer
}

async function hashedRows(from: number) {
  const rows = await log.db.rows<Hashed>(
    `select salt, body_hash as "bodyHash", chain from log where position >= $1::bigint order by position`,
    [from],
  )
  const events = await readLog(log.db, from - 1)
  return events.map((event, index) => ({ ...event, ...(rows[index] as Hashed) }))
}

/** How often each index, and the whole log under `log`, was scanned. */
async function scans(): Promise<Record<string, number>> {
  await log.owner.rows('select pg_stat_force_next_flush()')
  await log.owner.rows('select pg_stat_clear_snapshot()')
  const rows = await log.owner.rows<{ name: string; scans: number }>(
    `select indexrelname as name, idx_scan as scans from pg_stat_user_indexes where relname = 'log'
     union all select 'log', seq_scan from pg_stat_user_tables where relname = 'log'`,
  )
  return Object.fromEntries(rows.map(row => [row.name, row.scans]))
}
