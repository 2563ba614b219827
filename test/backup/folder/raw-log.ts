import fc from 'fast-check'
import type { SiteEvent } from '../../../src/content/events.ts'
import { EVENT_VERSIONS } from '../../../src/content/upcast.ts'
import { CHAIN_START, chainLink } from '../../../src/log/chain.ts'
import { bodyHash, newSalt } from '../../../src/log/event.ts'
import type { RawEvent } from '../../../src/log/raw.ts'
import { restoreLog } from '../../../src/log/restore.ts'
import { type Bulk, openBulk } from '../../../src/pg/bulk.ts'
import type { LogDatabase } from '../../log/log-database.ts'
import { anyLog } from '../../support/any-log.ts'
import { TEST_SITE } from '../../support/database.ts'

const NOTHING = { position: 0, chain: '0'.repeat(64) }
const START_MS = Date.parse('2021-03-04T05:06:07.000Z')

/** What an event carries beside its payload: texts that are hard to keep, instants of any day, authors. */
interface Trimmings {
  readonly note: string | null
  readonly meta: string
  readonly at: Date
  readonly actor: string
  readonly afterMs: number
}

const anyText = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .map(text => text.replaceAll('\0', '').toWellFormed())
const anyTrimmings: fc.Arbitrary<Trimmings> = fc.record({
  note: fc.option(fc.oneof(anyText, fc.constantFrom('', '\n\t\\N\\', '"},\n{"', ' é😀\u2028'))),
  meta: fc.oneof(
    fc.constant('{"door":"cli"}'),
    anyText.map(text => JSON.stringify({ door: 'api', '}","data":{': { [`x${text}`]: [text] } })),
  ),
  at: fc.date({
    min: new Date('0002-01-01T00:00:00Z'),
    max: new Date('9998-01-01T00:00:00Z'),
    noInvalidDate: true,
  }),
  actor: fc.constantFrom('root', 'nobody', 'system', '00000000-0000-4000-8000-000000000203'),
  afterMs: fc.constantFrom(0, 0, 1, 999, 86_400_000),
})

/** Logs of sites on which about so many things were done, with whatever a log may hold, valid to the hash. */
export const anyRawLog = (deeds: number): fc.Arbitrary<RawEvent[]> =>
  fc
    .tuple(anyLog(deeds), fc.array(anyTrimmings, { minLength: 5, maxLength: 12, size: 'max' }))
    .map(([{ events }, trimmings]) => rawLog(events, trimmings))

function rawLog(events: readonly SiteEvent[], trimmings: readonly Trimmings[]): RawEvent[] {
  let chain: Buffer = CHAIN_START
  let recordedMs = START_MS
  return events.map((event, index) => {
    const { note, meta, at, actor, afterMs } = trimmings[index % trimmings.length] as Trimmings
    recordedMs += afterMs
    const { position, eventId, stream, revision, type } = event
    const data = JSON.stringify(event.data)
    const salt = newSalt()
    const header = {
      ...{ position, eventId, stream, revision, type, version: EVENT_VERSIONS[type], actor },
      at: at.toISOString(),
      recordedAt: new Date(recordedMs).toISOString(),
    }
    const body = bodyHash(salt, note, meta, data)
    chain = chainLink(chain, header, body)
    return { ...header, note, meta, data, salt, bodyHash: body, chain }
  })
}

/** Makes a database's log that one, and nothing else. */
export async function become(database: LogDatabase, events: readonly RawEvent[]): Promise<void> {
  const last = events.at(-1)
  const head =
    last === undefined ? NOTHING : { position: last.position, chain: last.chain.toString('hex') }
  await becomeLog(database, head, one(events))
}

/** As `become`, of events that come from elsewhere. */
export async function becomeLog(
  database: LogDatabase,
  head: { position: number; chain: string },
  events: AsyncIterable<readonly RawEvent[]>,
): Promise<void> {
  await database.empty()
  const bulk: Bulk = await openBulk({ url: database.url, site: TEST_SITE })
  try {
    await bulk.db.transaction(db => restoreLog({ ...bulk, db }, { parent: NOTHING, head, events }))
  } finally {
    await bulk.close()
  }
}

async function* one(events: readonly RawEvent[]): AsyncIterable<readonly RawEvent[]> {
  yield events
}
