import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { ROOT_VIEWER } from '../../src/access/viewer.ts'
import type { Json } from '../../src/codec/json.ts'
import { type Author, change, type Site } from '../../src/commands/change.ts'
import { changeSetting } from '../../src/content/decide-rights.ts'
import { type OpenSite, openSite } from '../../src/open-site.ts'

/** The throw-away server that `npm test` starts. Its databases are lost with it. */
export const TEST_PG = process.env['RM3_TEST_PG'] ?? ''

/** The site's schema in test databases. */
export const TEST_SITE = 'rm3'

/** What the operator at the command line does. */
export const AS_ROOT: Author = { viewer: ROOT_VIEWER, door: 'cli' }

/** Writes a setting as it may have come in before it was checked, or with a backup. */
export async function putAnySetting(site: Site, key: string, value: Json): Promise<void> {
  await change(site, AS_ROOT, async it => it.record(changeSetting(await it.settings(), key, value)))
}

const TEMPLATE_LOCK = 7_267_171

export interface TestDatabase {
  readonly url: string
  drop(): Promise<void>
}

/** A database of its own, a copy of one that is migrated already. */
export async function testDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await withServer(async client => {
    const template = await ensureTemplate(client)
    await client.query(`create database ${name} template ${template}`)
  })
  return {
    url: urlOf(name),
    drop: () =>
      withServer(async client => void (await client.query(`drop database ${name} with (force)`))),
  }
}

export interface TestSite {
  readonly site: Site
  readonly wakeups: OpenSite['wakeups']
  readonly appends: OpenSite['appends']
  readonly url: string
  close(): Promise<void>
}

/** A site of its own, empty. Close it in an `after` hook: an open pool keeps the process alive. */
export async function testSite(options: { now?: () => string } = {}): Promise<TestSite> {
  const database = await testDatabase()
  const opened = await openSite({
    url: database.url,
    site: TEST_SITE,
    allowUnsafe: true,
    connectionsMax: 6,
    ...options,
  })
  return {
    site: opened.site,
    wakeups: opened.wakeups,
    appends: opened.appends,
    url: database.url,
    close: async () => {
      await opened.close()
      await database.drop()
    },
  }
}

/** One template for all test files of a run: whoever comes first makes it. */
async function ensureTemplate(client: pg.Client): Promise<string> {
  const name = `template_${process.env['RM3_TEST_RUN'] ?? process.ppid}`
  await client.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK])
  try {
    const known = await client.query('select from pg_database where datname = $1', [name])
    if (known.rowCount === 0) {
      await client.query(`create database ${name}_new`)
      const { close } = await openSite({
        url: urlOf(`${name}_new`),
        site: TEST_SITE,
        allowUnsafe: true,
      })
      await close()
      await client.query(`alter database ${name}_new rename to ${name}`)
    }
  } finally {
    await client.query('select pg_advisory_unlock($1)', [TEMPLATE_LOCK])
  }
  return name
}

async function withServer(work: (client: pg.Client) => Promise<void>): Promise<void> {
  if (TEST_PG === '') throw new Error('RM3_TEST_PG is not set: run the tests with npm test')
  const client = new pg.Client(TEST_PG)
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

/** The server's URL with another database; it may be `postgresql:///name?host=/socket/folder`. */
function urlOf(database: string): string {
  const url = new URL(TEST_PG)
  url.pathname = `/${database}`
  return url.href
}
