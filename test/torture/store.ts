import { APPEND_SETTINGS, Appender } from '../../src/log/append.ts'
import type { LogEntry } from '../../src/log/event.ts'
import { READ_MAX, readLog, readStream } from '../../src/log/read.ts'
import { Connection } from '../../src/pg/connection.ts'
import { poolDb } from '../../src/pg/db.ts'
import { openPool, type PoolOptions } from '../../src/pg/pool.ts'
import type { Asked } from './ledger.ts'

/** What is tortured: the log of rm3, or one with a planted bug. */
export interface Store {
  /** @returns position of the first event */
  append(token: string, events: readonly Asked[]): Promise<number>
  /** Ids of a stream's events from a revision on, at most `READ_LIMIT`. */
  readStream(stream: string, from: number): Promise<string[]>
  /** Ids of the log's events behind a position, at most `READ_LIMIT`. */
  readLog(after: number): Promise<string[]>
  close(): Promise<void>
}

export const READ_LIMIT = READ_MAX

/** Short, so that a server that says nothing is given up within the run. */
const STATEMENT_TIMEOUT_MS = 2_000
/** One more than the server has, so that batches overtake one another. */
const LANES = 2

/** How clients connect: as the server does, but for shorter deadlines. */
export function optionsOf(url: string, site: string): PoolOptions {
  return {
    url,
    site,
    restricted: true,
    connectionsMax: 3,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  }
}

/** The log of rm3. */
export function realStore(url: string, site: string): Store {
  const options = optionsOf(url, site)
  const lanes = Array.from(
    { length: LANES },
    () => new Connection({ ...options, settings: APPEND_SETTINGS }),
  )
  const appender = new Appender(lanes, () => {})
  const pool = openPool(options)
  const db = poolDb(pool)
  return {
    append: async (token, events) => {
      const entries = entriesOf(token, events)
      return (await appender.append({ entries, rows: [], versions: '', paths: [], rights: false }))
        .position
    },
    readStream: async (stream, from) =>
      (await readStream(db, stream, { from })).map(({ eventId }) => eventId),
    readLog: async after => (await readLog(db, after)).map(({ eventId }) => eventId),
    close: async () => {
      await appender.close()
      await pool.end()
    },
  }
}

/** The log's entries for an append; each event's data name its token. */
export function entriesOf(token: string, events: readonly Asked[]): LogEntry[] {
  return events.map(event => ({
    ...event,
    type: 'Tortured',
    version: 1,
    actor: 'root',
    at: '2020-01-01T00:00:00.000Z',
    note: null,
    meta: '{}',
    data: JSON.stringify({ token }),
  }))
}
