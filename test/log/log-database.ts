import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { APPEND_SETTINGS, type Appended, Appender } from '../../src/log/append.ts'
import type { AppendRequest, InlineRow } from '../../src/log/batch.ts'
import type { LogEntry } from '../../src/log/event.ts'
import { Connection } from '../../src/pg/connection.ts'
import { type Db, poolDb } from '../../src/pg/db.ts'
import { openPool } from '../../src/pg/pool.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { isInline, versionsOf } from '../../src/projector/tables.ts'
import { TEST_SITE, type TestDatabase, testDatabase } from '../support/database.ts'

/** A migrated database with an empty log, the app's connections to it, and the owner's, who may do anything. */
export interface LogDatabase {
  readonly url: string
  readonly db: Db
  readonly owner: Db
  readonly appender: Appender
  /** Last positions that the appender told. */
  readonly told: number[]
  /** One more appender on the same log, as another process has it. */
  another(lanes?: number): Appender
  /** Empties the log, as nobody but a test may. */
  empty(): Promise<void>
  close(): Promise<void>
}

export async function logDatabase(statementTimeoutMs = 10_000): Promise<LogDatabase> {
  const database: TestDatabase = await testDatabase()
  const { url } = database
  const options = { url, site: TEST_SITE, restricted: true, statementTimeoutMs }
  const pool = openPool({ ...options, connectionsMax: 4 })
  const ownerPool = openPool({ ...options, restricted: false, connectionsMax: 1 })
  const owner = poolDb(ownerPool)
  const told: number[] = []
  const appenders: Appender[] = []
  const another = (lanes = 2) => {
    const settings = APPEND_SETTINGS
    const connections = Array.from(
      { length: lanes },
      () => new Connection({ ...options, settings }),
    )
    const appender = new Appender(connections, position => told.push(position))
    appenders.push(appender)
    return appender
  }
  return {
    url,
    db: poolDb(pool),
    owner,
    appender: another(),
    told,
    another,
    empty: () => owner.script(EMPTY),
    close: async () => {
      await Promise.all(appenders.map(appender => appender.close()))
      await pool.end()
      await ownerPool.end()
      await database.drop()
    },
  }
}

const EMPTY = `begin;
  alter table log disable trigger all;
  truncate log;
  alter table log enable trigger all;
  update log_head set position = 0, recorded_at = '-infinity', chain = decode(repeat('00', 32), 'hex');
commit`

/** The versions of the projections that the database has. */
export const VERSIONS = versionsOf((await discoverProjections()).filter(isInline))

export const AT = '2020-05-17T12:34:56.789Z'

/** An entry of a stream of its own, but for what is given. */
export function entry(given: Partial<LogEntry> = {}): LogEntry {
  return {
    eventId: randomUUID(),
    stream: randomUUID(),
    revision: 1,
    type: 'PageRevised',
    version: 1,
    actor: 'root',
    at: AT,
    note: null,
    meta: '{}',
    data: '{"n":1}',
    ...given,
  }
}

/** Appends entries together. */
export function append(
  appender: Pick<Appender, 'append'>,
  entries: readonly LogEntry[],
  rows: readonly InlineRow[] = [],
  more: Partial<AppendRequest> = {},
): Promise<Appended> {
  return appender.append({ entries, rows, versions: VERSIONS, paths: [], rights: false, ...more })
}

/** The code that `work` is refused with, a constraint's name, or the SQLSTATE; 'none' when it succeeds. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'none'
  } catch (thrown) {
    const { constraint, code } = thrown as { constraint?: string; code?: string }
    return constraint ?? code ?? String(thrown)
  }
}

/** A plain connection of node-postgres, without our settings. */
export async function plainClient(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  return client
}
