import { randomUUID } from 'node:crypto'
import { chainLink } from '../../src/log/chain.ts'
import { bodyHash, newSalt } from '../../src/log/event.ts'
import { type RawEvent, readRawLog } from '../../src/log/raw.ts'
import { readHead, readLog } from '../../src/log/read.ts'
import { restoreLog } from '../../src/log/restore.ts'
import { verifyLog } from '../../src/log/verify.ts'
import { type Bulk, openBulk } from '../../src/pg/bulk.ts'
import { assert, suite } from '../harness.ts'
import { TEST_SITE } from '../support/database.ts'
import { refused } from '../support/refused.ts'
import { append, entry, type LogDatabase, logDatabase } from './log-database.ts'

const NOTHING = { position: 0, chain: '00'.repeat(32) }
const LONG = JSON.stringify({ text: 'é😀\\ \t"'.repeat(400_000) })
const MANY = 5_300

let from: LogDatabase
let to: LogDatabase
let source: Bulk
let target: Bulk

suite('raw events', test => {
  test.before(async () => {
    from = await logDatabase()
    to = await logDatabase()
    source = await openBulk({ url: from.url, site: TEST_SITE })
    target = await openBulk({ url: to.url, site: TEST_SITE })
    await writeSome()
  })
  test.after(async () => {
    await source.close()
    await target.close()
    await from.close()
    await to.close()
  })

  test('are read as reading them one by one gives them, over parts and pieces', async () => {
    const { position } = await readHead(from.db)
    const events = await eventsOf(source, 0, position)

    assert.is(events.length, position)
    const read = [...(await readLog(from.db, 0)), ...(await readLog(from.db, position - 300))]
    for (const event of read) {
      const { salt: _, bodyHash: __, chain: ___, ...raw } = events[event.position - 1] as RawEvent
      assert.equal(raw, event)
    }
    assert.equal(await eventsOf(source, 7, 9), events.slice(7, 9))
  })

  test('a position that is missing is told', async () => {
    const { position } = await readHead(from.db)

    const error = await refused(eventsOf(source, 0, position + 1))

    assert.is(error.code, 'LOG_DAMAGED')
  })

  test('come back as they were, in any order, and in two parts', async () => {
    const head = await readHead(from.db)
    const events = await eventsOf(source, 0, head.position)
    const half = events[MANY / 2 - 1] as RawEvent
    const middle = { position: half.position, chain: half.chain.toString('hex') }
    await to.empty()
    const { epoch } = await readHead(to.db)

    await restore(events.slice(0, middle.position).reverse(), NOTHING, middle)
    const between = await readHead(to.db)
    await restore(events.slice(middle.position), middle, head)

    const after = await readHead(to.db)
    assert.equal(await eventsOf(target, 0, head.position), events)
    assert.is((await verifyLog(to.db)).fault, null)
    assert.is(after.chain, head.chain)
    assert.is(after.recordedAt, head.recordedAt)
    assert.is(after.rightsPosition, head.position)
    assert.is.not(between.epoch, epoch)
    assert.is(after.epoch, between.epoch)
  })

  test('erased ones stay erased, and prove', async () => {
    const [first, second] = rechained(
      (await eventsOf(source, 0, 2)).map((event, index) =>
        index === 0 ? { ...event, salt: null, note: null, meta: null, data: null } : event,
      ),
    ) as [RawEvent, RawEvent]
    await to.empty()

    await restore([first, second], NOTHING, placeOf(second))

    assert.equal(await eventsOf(target, 0, 2), [first, second])
  })

  const damages: Record<string, [string, (events: RawEvent[]) => RawEvent[]]> = {
    'one is missing': ['no event at position 5', events => without(events, 4)],
    'the last is missing': ['no event at position 12', events => without(events, 11)],
    'one is there twice': ['there twice', events => [...events, events[3] as RawEvent]],
    'an event id is there twice': [
      'an event id is there twice',
      events => changed(events, 4, { eventId: events[2]?.eventId as string }),
    ],
    'one too many': [
      'behind position 12',
      events => [...events, { ...(events[3] as RawEvent), ...fresh(), position: 13 }],
    ],
    'one before the first': [
      'at position 0',
      events => [...events, { ...(events[3] as RawEvent), ...fresh(), position: 0 }],
    ],
    'data is another': ['position 5: ', events => changed(events, 4, { data: '{"n":2}' })],
    'an author is another': ['position 5: ', events => changed(events, 4, { actor: 'nobody' })],
    'a type is none': ['breaks the rule', events => changed(events, 4, { type: 'no type' })],
    'data is no JSON': ['malformed', events => changed(events, 4, { data: '{"n":' })],
    'a note holds a NUL': ['malformed', events => changed(events, 4, { note: 'a\0b' })],
  }
  for (const [title, [message, damage]] of Object.entries(damages)) {
    test(`nothing is kept when ${title}`, async () => {
      const events = await eventsOf(source, 0, 12)
      await to.empty()
      const before = await readHead(to.db)

      const error = await refused(restore(damage(events), NOTHING, placeOf(events[11] as RawEvent)))

      assert.is(error.code, 'BACKUP_DAMAGED')
      assert.ok(error.message.includes(message), error.message)
      assert.equal(await readHead(to.db), before)
      assert.equal(await readLog(to.db, 0), [])
    })
  }

  test('nothing is kept when the chain ends otherwise, times go back or a revision is missing', async () => {
    const events = await eventsOf(source, 0, 12)
    const rotten = [
      [events, { position: 12, chain: 'ab'.repeat(32) }, 'another value'],
      [
        changed(events, 4, { recordedAt: '2001-01-01T00:00:00.000Z' }),
        null,
        'position 5: recorded',
      ],
      [changed(events, 11, { revision: 20 }), null, 'position 12: revision 20'],
    ] as const
    for (const [some, head, message] of rotten) {
      await to.empty()
      const made = rechained(some)

      const error = await refused(restore(made, NOTHING, head ?? placeOf(made[11] as RawEvent)))

      assert.ok(error.message.includes(message), error.message)
      assert.equal(await readLog(to.db, 0), [])
    }
  })

  test('nothing is kept when the source throws, and the connection can be used again', async () => {
    await to.empty()
    const failing = async function* (): AsyncIterable<RawEvent[]> {
      yield* batchesOf(await eventsOf(source, 0, 3))
      throw new Error('the source broke')
    }

    const error = await refused(restoreFrom(failing(), NOTHING, { position: 9, chain: 'x' }))

    assert.is(error.message, 'the source broke')
    assert.equal(await eventsOf(target, 0, 0), [])
    assert.equal(await readLog(to.db, 0), [])
  })

  test('a log that does not end where they begin is left alone', async () => {
    const events = await eventsOf(source, 0, 12)
    const [third, last] = [events[2] as RawEvent, events[11] as RawEvent]
    await to.empty()
    await restore(events.slice(0, 3), NOTHING, placeOf(third))

    for (const parent of [NOTHING, { ...placeOf(third), chain: 'ab'.repeat(32) }]) {
      const error = await refused(restore(events.slice(3), parent, placeOf(last)))
      assert.is(error.code, 'SITE_NOT_EMPTY')
    }
    assert.is((await readHead(to.db)).position, 3)
  })
})

/** Streams of one and of many events; long, short, empty and odd texts; times at the ends of what is allowed. */
async function writeSome(): Promise<void> {
  await append(from.appender, [entry({ note: '' }), entry({ data: LONG })])
  await append(from.appender, [
    entry({ at: '0001-01-01T00:00:00.000Z', note: 'a\tb\\n\n' }),
    entry({ at: '9999-12-31T23:59:59.999Z', data: '{"a":1.0,  "b":"\\ud83d\\ude00"}' }),
  ])
  for (let first = 0; first < MANY; first += 100) {
    const stream = randomUUID()
    await append(
      from.appender,
      Array.from({ length: 100 }, (_, n) => entry({ stream, revision: n + 1 })),
    )
  }
}

async function eventsOf(bulk: Bulk, after: number, until: number): Promise<RawEvent[]> {
  const events: RawEvent[] = []
  for await (const batch of readRawLog(bulk, { after, until })) events.push(...batch)
  return events
}

type Place = { position: number; chain: string }

function placeOf({ position, chain }: RawEvent): Place {
  return { position, chain: chain.toString('hex') }
}

async function restore(events: readonly RawEvent[], parent: Place, head: Place): Promise<void> {
  await restoreFrom(batchesOf(events), parent, head)
}

async function restoreFrom(
  events: AsyncIterable<readonly RawEvent[]>,
  parent: Place,
  head: Place,
): Promise<void> {
  await target.db.transaction(db => restoreLog({ ...target, db }, { parent, head, events }))
}

async function* batchesOf(events: readonly RawEvent[]): AsyncIterable<RawEvent[]> {
  for (let from = 0; from < events.length; from += 70) yield events.slice(from, from + 70)
}

function without(events: readonly RawEvent[], index: number): RawEvent[] {
  return events.filter((_, at) => at !== index)
}

function changed(
  events: readonly RawEvent[],
  index: number,
  change: Partial<RawEvent>,
): RawEvent[] {
  return events.map((event, at) => (at === index ? { ...event, ...change } : event))
}

function fresh(): Partial<RawEvent> {
  return { eventId: randomUUID(), stream: randomUUID(), revision: 1 }
}

/** Events with hashes that fit what they have become, as one who forges a log would write them. */
function rechained(events: readonly RawEvent[]): RawEvent[] {
  let chain: Buffer = Buffer.alloc(32)
  return events.map(event => {
    const salt = event.salt ?? newSalt()
    const body =
      event.data === null ? event.bodyHash : bodyHash(salt, event.note, event.meta, event.data)
    chain = chainLink(chain, event, body)
    return { ...event, bodyHash: body, chain, salt: event.data === null ? null : salt }
  })
}
