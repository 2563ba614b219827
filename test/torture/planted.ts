import { randomUUID } from 'node:crypto'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { isRm3Error, Rm3Error } from '../../src/errors.ts'
import { AppendCall } from '../../src/log/append-call.ts'
import { prepare } from '../../src/log/batch.ts'
import { poolDb } from '../../src/pg/db.ts'
import { openPool } from '../../src/pg/pool.ts'
import type { Asked } from './ledger.ts'
import { entriesOf, optionsOf, READ_LIMIT, realStore, type Store } from './store.ts'
import type { TortureOptions } from './torture.ts'

/** Bugs that the checker must find, each a way in which others lost or forked histories. */
export const PLANTED = {
  'no unique key': noUniqueKey,
  'stale read cache': staleCache,
  'acknowledge before commit': earlyAcknowledgement,
  'lost retry with a new id': retryWithNewId,
  'lost retry taken for done': retryTakenForDone,
  'multi-stream append in pieces': inPieces,
} as const

export type Bug = keyof typeof PLANTED

const CACHE_MS = 20
const COMMIT_DELAY_MS = 5

/** A small run that shows each bug. The first four are those that others' histories were lost by. */
export function runFor(
  bug: Bug,
): Pick<TortureOptions, 'streams' | 'hot' | 'writers' | 'readers' | 'faults' | 'processes'> {
  const isLostRetry = bug.startsWith('lost retry')
  return {
    processes: 0,
    streams: isLostRetry ? 50 : 4,
    hot: isLostRetry ? 5 : 2,
    writers: 6,
    readers: 4,
    faults: isLostRetry ? { kinds: 'lost answers', everyMs: 30 } : null,
  }
}

/** The table of the store without keys. */
export const NAIVE_TABLE = `create table if not exists naive_log (position bigint, event_id uuid, stream uuid, revision int, token text);
  create index if not exists naive_stream on naive_log (stream)`

/** Looks at the revision and then inserts, without a lock or a unique key. */
function noUniqueKey(url: string, site: string): Store {
  const pool = openPool({ ...optionsOf(url, site), restricted: false })
  const db = poolDb(pool)
  const ids = (rows: { event_id: string }[]) => rows.map(row => row.event_id)
  return {
    append: (token, events) =>
      db.transaction(async inside => {
        for (const { stream, revision } of events) {
          const [last] = await inside.rows<{ revision: number }>(
            'select coalesce(max(revision), 0) as revision from naive_log where stream = $1::uuid',
            [stream],
          )
          const actual = last?.revision ?? 0
          if (actual + 1 !== revision) throw conflictOf(stream, actual)
        }
        const [head] = await inside.rows<{ position: number }>(
          'select coalesce(max(position), 0) as position from naive_log',
        )
        const position = (head?.position ?? 0) + 1
        for (const [index, { stream, revision, eventId }] of events.entries()) {
          await inside.rows(
            'insert into naive_log values ($1::bigint, $2::uuid, $3::uuid, $4::int, $5::text)',
            [position + index, eventId, stream, revision, token],
          )
        }
        return position
      }),
    readStream: async (stream, from) =>
      ids(
        await db.rows(
          'select event_id from naive_log where stream = $1::uuid and revision >= $2::int order by revision limit $3::int',
          [stream, from, READ_LIMIT],
        ),
      ),
    readLog: async after =>
      ids(
        await db.rows(
          'select event_id from naive_log where position > $1::bigint order by position limit $2::int',
          [after, READ_LIMIT],
        ),
      ),
    close: () => pool.end(),
  }
}

/** Reads of a stream come out of a cache that is not told of writes. */
function staleCache(url: string, site: string): Store {
  const store = realStore(url, site)
  const cache = new Map<string, { until: number; from: number; ids: string[] }>()
  return {
    ...store,
    readStream: async (stream, from) => {
      const kept = cache.get(stream)
      if (kept && kept.until > performance.now() && kept.from <= from) {
        await setImmediate()
        return kept.ids.slice(from - kept.from)
      }
      const ids = await store.readStream(stream, from)
      cache.set(stream, { until: performance.now() + CACHE_MS, from, ids })
      return ids
    },
  }
}

/** Answers when the row is there, a moment before it is committed. */
function earlyAcknowledgement(url: string, site: string): Store {
  const { pool, ...store } = directStore(url, site)
  return {
    ...store,
    append: async (token, events) => {
      const client = await pool.connect()
      try {
        await client.query('begin')
        const position = await appendOn(client, token, events)
        void sleep(COMMIT_DELAY_MS)
          .then(() => client.query('commit'))
          .then(
            () => client.release(),
            thrown => client.release(thrown),
          )
        return position
      } catch (thrown) {
        client.release(thrown as Error)
        throw thrown
      }
    },
  }
}

/** Tries again after a lost answer, but as if it were another append. */
function retryWithNewId(url: string, site: string): Store {
  const { pool, ...store } = directStore(url, site)
  return {
    ...store,
    append: async (token, events) => {
      try {
        return await appendOn(pool, token, events)
      } catch (thrown) {
        if (!isLost(thrown)) throw thrown
        const others = events.map(event => ({ ...event, eventId: randomUUID() }))
        return appendOn(pool, token, others)
      }
    },
  }
}

/** Takes a lost answer for a good one. */
function retryTakenForDone(url: string, site: string): Store {
  const { pool, ...store } = directStore(url, site)
  let last = 0
  return {
    ...store,
    append: async (token, events) => {
      try {
        last = await appendOn(pool, token, events)
        return last
      } catch (thrown) {
        if (!isLost(thrown)) throw thrown
        return last + 1
      }
    },
  }
}

/** Writes the events of one append one by one. */
function inPieces(url: string, site: string): Store {
  const store = realStore(url, site)
  return {
    ...store,
    append: async (token, [first, ...others]) => {
      if (first === undefined) throw new Error('no events')
      const position = await store.append(token, [first])
      for (const event of others) await store.append(token, [event])
      return position
    },
  }
}

/** Reads as they should be, and a pool to append through without `Appender` and its retries. */
function directStore(url: string, site: string): Store & { pool: pg.Pool } {
  const store = realStore(url, site)
  const pool = openPool({ ...optionsOf(url, site), connectionsMax: 4 })
  const close = async () => {
    await store.close()
    await pool.end()
  }
  return { ...store, pool, close }
}

async function appendOn(
  target: pg.Pool | pg.PoolClient,
  token: string,
  events: readonly Asked[],
): Promise<number> {
  const request = {
    entries: entriesOf(token, events),
    rows: [],
    versions: '',
    paths: [],
    rights: false,
  }
  const call = new AppendCall({
    rows: async <Row>(text: string, values?: readonly unknown[]) =>
      (await target.query(text, values as unknown[])).rows as Row[],
  })
  const [answer] = await call.send([prepare(request)])
  if (answer === undefined) throw new Error('append gave no answer')
  if (answer.outcome === 'conflict') throw conflictOf(answer.stream, answer.revision)
  return Number(answer.position)
}

function conflictOf(stream: string, actual: number): Rm3Error {
  return new Rm3Error('REVISION_CONFLICT', 'as seen by a planted bug', { stream, actual })
}

function isLost(thrown: unknown): boolean {
  return !isRm3Error(thrown) && /terminated|ECONNRESET|EPIPE|not queryable/.test(String(thrown))
}
