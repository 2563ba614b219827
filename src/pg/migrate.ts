import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Rm3Error } from '../errors.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { endClient, LOSES_CLIENTS, openClient } from './client.ts'
import { connectionDb, type Db, find, one } from './db.ts'
import { appLogsIn, appRole, checkedSite, connectionOptions } from './pool.ts'

export interface MigrateOptions {
  readonly url: string
  readonly site: string
  /** Accept a database that may lose acknowledged writes; only tests do. */
  readonly allowUnsafe?: boolean
  /** What else belongs to the schema and is set up under the same lock: the tables of projections. */
  readonly afterwards?: (db: Db) => Promise<void>
}

const VERSION_MIN = 150_000
/** First key of the advisory lock; the second is the hash of the site's name. */
const LOCK_CLASS = 0x726d3300

/**
 * Brings the site's schema up to date: migrations in number order, each in one transaction, then every function again.
 *
 * @returns the names of the migrations applied now, in order
 *
 * Safe to run from any number of processes at once: they take turns under an advisory lock.
 *
 * @throws DATABASE_TOO_OLD, DATABASE_UNSAFE (see `checkServer`, or the role that protects the log cannot be made), DATABASE_NEWER (a migration is unknown here or was edited), UNAVAILABLE
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const site = checkedSite(options.site)
  const settings = LOSES_CLIENTS
  const client = await openClient(
    connectionOptions({ ...options, restricted: false, statementTimeoutMs: 0, settings }),
  )
  const db = connectionDb(client)
  try {
    await checkServer(db, options.allowUnsafe ?? false)
    await db.script('set lock_timeout = 0')
    await db.rows('select pg_advisory_lock($1::int, hashtext($2::text))', [LOCK_CLASS, site])
    await ensureAppRole(db, site, appLogsIn(options.url) ? 'login' : 'nologin')
    return await migrateUnderLock(db, site, options.afterwards)
  } finally {
    await endClient(client)
  }
}

async function migrateUnderLock(
  db: Db,
  site: string,
  afterwards: MigrateOptions['afterwards'],
): Promise<string[]> {
  await db.script(`create schema if not exists ${site}`)
  await db.script(`create table if not exists migrations (
    name text primary key, checksum text not null, applied_at timestamptz not null default now())`)
  const files = await sqlFiles('migrations')
  const applied = await applyMigrations(db, files, site)
  const functions = (await sqlFiles('functions')).map(file => file.text).join('\n')
  await inOneTransaction(db, forSite(functions, site))
  await afterwards?.(db)
  await inOneTransaction(db, forSite(PRIVILEGES, site))
  return applied
}

interface SqlFile {
  readonly name: string
  readonly text: string
  readonly checksum: string
}

async function sqlFiles(folder: 'migrations' | 'functions'): Promise<SqlFile[]> {
  const path = join(PACKAGE_ROOT, 'schema', folder)
  const names = (await readdir(path)).filter(name => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async name => {
      const text = await readFile(join(path, name), 'utf8')
      const checksum = createHash('sha256').update(text).digest('hex')
      return { name: name.slice(0, -'.sql'.length), text, checksum }
    }),
  )
}

async function applyMigrations(db: Db, files: SqlFile[], site: string): Promise<string[]> {
  const known = await db.rows<{ name: string; checksum: string }>(
    'select name, checksum from migrations order by name',
  )
  for (const { name, checksum } of known) {
    const file = files.find(candidate => candidate.name === name)
    if (file?.checksum !== checksum) {
      throw new Rm3Error(
        'DATABASE_NEWER',
        `the schema "${site}" has the migration "${name}", which this rm3 ${file ? 'has otherwise' : 'does not have'}; start the rm3 that made it, or a newer one`,
        { migration: name },
      )
    }
  }
  const missing = files.filter(file => !known.some(({ name }) => name === file.name))
  for (const { name, text, checksum } of missing) {
    const record = `insert into migrations (name, checksum) values ('${name}', '${checksum}');`
    await inOneTransaction(db, `${forSite(text, site)}\n${record}`)
  }
  return missing.map(file => file.name)
}

/**
 * The migrations that `migrate` would apply, by name. Changes nothing.
 *
 * @param db sees the site's schema
 * @returns null when the site has no schema yet
 */
export async function listPendingMigrations(db: Db, site: string): Promise<string[] | null> {
  const [there] = await db.rows<{ found: string | null }>('select to_regclass($1::text) as found', [
    `${checkedSite(site)}.migrations`,
  ])
  if (!there?.found) return null
  const known = await db.rows<{ name: string }>('select name from migrations')
  const files = await sqlFiles('migrations')
  return files.map(({ name }) => name).filter(name => !known.some(row => row.name === name))
}

/**
 * The app role may read all, call functions, and write only what is neither the log nor derived from it. Others who may look into
 * the schema may not call its functions: `append` runs with its owner's rights. What was ever said is erased by the owner only.
 */
const PRIVILEGES = `
grant usage on schema :site to :app_role;
grant select on all tables in schema :site to :app_role;
revoke execute on all functions in schema :site from public;
grant execute on all functions in schema :site to :app_role;
revoke execute on function erase, empty_erased from :app_role;
`

function forSite(text: string, site: string): string {
  return text.replaceAll(':app_role', appRole(site)).replaceAll(':site', site)
}

async function inOneTransaction(db: Db, script: string): Promise<void> {
  await db.script(`begin;\n${script}\n;commit;`).catch(async thrown => {
    await db.script('rollback')
    throw thrown
  })
}

const ROLE_TRIES_MAX = 5

/**
 * Makes the role that cannot change the log. Roles belong to the whole server, so sites in other databases may race for it.
 *
 * @throws DATABASE_UNSAFE when the connecting role may not make roles
 */
async function ensureAppRole(db: Db, site: string, login: 'login' | 'nologin'): Promise<void> {
  const role = appRole(site)
  for (let tries = 1; ; tries++) {
    try {
      return await db.script(`do $$ begin
        if not exists (select from pg_roles where rolname = '${role}') then create role ${role} nologin; end if;
        if '${login}' = 'login' and not (select rolcanlogin from pg_roles where rolname = '${role}') then alter role ${role} login; end if;
        if not pg_has_role('${role}', 'member') then execute format('grant ${role} to %I', current_user); end if;
      end $$`)
    } catch (thrown) {
      const { code } = thrown as { code?: string }
      if (code === '42501') throw noRoles(role)
      if (tries === ROLE_TRIES_MAX) throw thrown
    }
  }
}

function noRoles(role: string): Rm3Error {
  return new Rm3Error(
    'DATABASE_UNSAFE',
    `the database role "${role}" is missing and may not be created by this connection. As a superuser run: create role ${role} nologin; grant ${role} to <the user in RM3_PG>;`,
    { role },
  )
}

async function checkServer(db: Db, allowUnsafe: boolean): Promise<void> {
  const { version } = await one<{ version: number }>(
    db,
    `select current_setting('server_version_num')::int as version`,
  )
  if (version < VERSION_MIN) {
    throw new Rm3Error(
      'DATABASE_TOO_OLD',
      `this is PostgreSQL ${Math.floor(version / 10_000)}; rm3 needs 15 or newer`,
    )
  }
  const unsafe = await find<{ name: string }>(
    db,
    `select name from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes') and setting = 'off'`,
  )
  if (unsafe && !allowUnsafe) {
    throw new Rm3Error(
      'DATABASE_UNSAFE',
      `PostgreSQL runs with ${unsafe.name} = off and could lose saves it has confirmed. Switch it on, or set RM3_DANGER_UNSAFE_DATABASE=true if you mean it`,
      { setting: unsafe.name },
    )
  }
}
