import type { Config } from '../../config.ts'
import { Rm3Error } from '../../errors.ts'
import { openDatabase } from '../../open-database.ts'
import { openDb } from '../../pg/connection.ts'
import type { Db } from '../../pg/db.ts'
import { listPendingMigrations } from '../../pg/migrate.ts'
import type { Call } from '../command.ts'
import type { Finding } from './doctor-machine.ts'

const VERSION_MIN = 150_000
const CLOCK_MS_MAX = 2_000

/** Version, settings, schema and clock of the database, as far as it can be reached. */
export async function examineDatabase(call: Call, config: Config): Promise<Finding[]> {
  try {
    const database = await openDatabase(config, {
      lifetime: 'command',
      say: line => call.say(line),
    })
    try {
      const { db, close } = await openDb(database.url, config.site)
      try {
        return await examineDb(db, config, database.managed)
      } finally {
        await close()
      }
    } finally {
      await database.stop()
    }
  } catch (thrown) {
    if (!(thrown instanceof Rm3Error)) throw thrown
    const cause = thrown.cause instanceof Error ? `: ${thrown.cause.message}` : ''
    const text = `${thrown.message}${cause}`
    const advice =
      config.databaseUrl === null
        ? 'install PostgreSQL 15 or newer, or name one in RM3_PG'
        : 'start the PostgreSQL that RM3_PG names, or correct its address'
    return [{ check: 'database', state: 'fail', text, advice }]
  }
}

async function examineDb(db: Db, config: Config, managed: boolean): Promise<Finding[]> {
  return [
    await examineVersion(db, managed),
    await examineSafety(db, config),
    await examineSchema(db, config.site),
    await examineClock(db),
  ]
}

async function examineVersion(db: Db, managed: boolean): Promise<Finding> {
  const [row] = await db.rows<{ number: number; text: string }>(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as text`,
  )
  const text = `PostgreSQL ${row?.text ?? '?'}${managed ? ', managed by rm3' : ''}`
  if ((row?.number ?? 0) >= VERSION_MIN) return { check: 'database', state: 'ok', text }
  return { check: 'database', state: 'fail', text, advice: 'rm3 needs PostgreSQL 15 or newer' }
}

async function examineSafety(db: Db, config: Config): Promise<Finding> {
  const off = await db.rows<{ name: string }>(
    `select name from pg_settings
     where name in ('fsync', 'synchronous_commit', 'full_page_writes') and setting = 'off' order by name`,
  )
  if (off.length === 0) {
    return { check: 'durability', state: 'ok', text: 'what is saved outlives a crash' }
  }
  return {
    check: 'durability',
    state: config.unsafeDatabaseAllowed ? 'warn' : 'fail',
    text: `${off.map(({ name }) => name).join(', ')} off: a crash may lose what was saved`,
    advice: 'switch it on in postgresql.conf',
  }
}

async function examineSchema(db: Db, site: string): Promise<Finding> {
  const pending = await listPendingMigrations(db, site)
  if (pending === null) {
    const text = `the site "${site}" has no schema yet`
    const advice = 'rm3front makes it at its first start, or run rm3admin migrate'
    return { check: 'schema', state: 'warn', text, advice }
  }
  if (pending.length === 0) {
    return { check: 'schema', state: 'ok', text: `the site "${site}" is up to date` }
  }
  const text = `the site "${site}" lacks ${pending.join(', ')}`
  return { check: 'schema', state: 'warn', text, advice: 'run rm3admin migrate, or start rm3front' }
}

async function examineClock(db: Db): Promise<Finding> {
  const before = Date.now()
  const [row] = await db.rows<{ now: string }>('select clock_timestamp() as now')
  const middle = (before + Date.now()) / 2
  const offMs = Math.abs(Date.parse(row?.now ?? '') - middle)
  if (offMs <= CLOCK_MS_MAX) {
    return { check: 'clock', state: 'ok', text: 'the same here and in the database' }
  }
  const text = `${Math.round(offMs / 1000)} s apart here and in the database`
  const advice =
    'set both machines by NTP: times of events come from here, those of recording from there'
  return { check: 'clock', state: 'warn', text, advice }
}
