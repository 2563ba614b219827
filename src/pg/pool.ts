import pg from 'pg'
import { Rm3Error } from '../errors.ts'

export interface PoolOptions {
  readonly url: string
  /** The site: a PostgreSQL schema. */
  readonly site: string
  /** Take the role `<site>_app`, which cannot change the log. */
  readonly restricted: boolean
  readonly connectionsMax?: number
  readonly statementTimeoutMs?: number
  readonly applicationName?: string
  /** More settings of the session, as `name=value`. */
  readonly settings?: readonly string[]
  readonly onError?: (error: Error) => void
}

const CONNECT_TIMEOUT_MS = 10_000
const CONNECTIONS_MAX = 16
/** Longer than the server's own limit: the last resort when the network is dead. */
const ANSWER_MARGIN_MS = 5_000

/**
 * A pool whose connections see only the site's schema, give up on dead networks and never wait for locks for ever.
 *
 * int8 comes as a number (it throws past 2^53), timestamptz as an RFC 3339 string in UTC with milliseconds.
 */
export function openPool(options: PoolOptions): pg.Pool {
  const { statementTimeoutMs = 10_000 } = options
  const pool = new pg.Pool({
    ...connectionOptions(options),
    max: options.connectionsMax ?? CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: statementTimeoutMs + ANSWER_MARGIN_MS,
    idleTimeoutMillis: 60_000,
  })
  pool.on('error', error => options.onError?.(error))
  // One that is lost while it is checked out says so with an event that ends the process when nobody listens; its query rejects.
  pool.on('connect', client => client.on('error', () => {}))
  return pool
}

/**
 * A setting in a URL's `options` which says that the server lets `<site>_app` in by itself, as the managed one does. Then nothing that
 * is sent through a restricted connection can get the rights of the URL's user back; a role that is only taken on can be laid down.
 */
export const APP_LOGS_IN = 'rm3.app_logs_in=on'

/** Whether restricted connections to a URL log in as `<site>_app`. */
export function appLogsIn(url: string): boolean {
  return withoutOptions(url).given.includes(APP_LOGS_IN)
}

/** What node-postgres needs to connect as `openPool` does; for the connections that are not pooled. */
export function connectionOptions(options: PoolOptions): pg.ClientConfig {
  const { url, site, restricted, statementTimeoutMs = 10_000 } = options
  const logsIn = restricted && appLogsIn(url)
  const settings = [
    `search_path=${checkedSite(site)},pg_temp`,
    `statement_timeout=${statementTimeoutMs}`,
    `lock_timeout=${Math.min(statementTimeoutMs, 5_000) || 5_000}`,
    'idle_in_transaction_session_timeout=30000',
    'timezone=UTC',
    'jit=off', // compiling append's statements takes 300 ms, running them 1 ms
    ...(options.settings ?? []),
    'default_transaction_isolation=read\\ committed',
    ...(restricted && !logsIn ? [`role=${appRole(site)}`] : []),
  ]
  const own = settings.map(setting => `-c ${setting}`).join(' ')
  const { connectionString, given } = withoutOptions(url)
  return {
    connectionString: logsIn ? asUser(connectionString, appRole(site)) : connectionString,
    application_name: options.applicationName ?? 'rm3',
    keepAlive: true,
    options: `${given} ${own}`.trim(),
    types: { getTypeParser },
  }
}

/** node-postgres lets `options` in a URL take the place of ours, the role among them; so they are put before ours instead. */
function withoutOptions(url: string): { connectionString: string; given: string } {
  if (!url.includes('options=') || !URL.canParse(url)) return { connectionString: url, given: '' }
  const parsed = new URL(url)
  const given = parsed.searchParams.get('options') ?? ''
  parsed.searchParams.delete('options')
  return { connectionString: parsed.href, given }
}

function asUser(url: string, user: string): string {
  const parsed = new URL(url)
  parsed.searchParams.set('user', user)
  return parsed.href
}

/** The role that the server and its workers run as. */
export function appRole(site: string): string {
  return `${site}_app`
}

/** @throws CONFIG_INVALID when `site` cannot be a schema without quotes: it stands in SQL text */
export function checkedSite(site: string): string {
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(site) || site.startsWith('pg_')) {
    throw new Rm3Error(
      'CONFIG_INVALID',
      `RM3_SITE is "${site}"; it must be a-z, 0-9 and _, start with a letter and have at most 40 characters`,
    )
  }
  return site
}

const INT8 = 20
const TIMESTAMPTZ = 1184

/** node-postgres types the result of its parsers as anything. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (oid === INT8 && format !== 'binary') return parseInt8
  if (oid === TIMESTAMPTZ && format !== 'binary') return utcInstant
  return pg.types.getTypeParser(oid, format as 'text') as (text: string) => unknown
}

function parseInt8(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new Error(`int8 out of the safe range: ${text}`)
  return value
}

/** `2026-11-22 18:30:00.5+00` with at most milliseconds: what the tables hold. */
const PLAIN_INSTANT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?\+00$/

/** RFC 3339 in UTC with milliseconds, of an instant as a session of `openPool` has it; infinities stay what they are. */
export function utcInstant(text: string): string {
  if (PLAIN_INSTANT.test(text)) {
    const fraction = text.slice(19, -3) || '.'
    return `${text.slice(0, 10)}T${text.slice(11, 19)}${fraction.padEnd(4, '0')}Z`
  }
  if (text === '-infinity' || text === 'infinity') return text
  return new Date(text.replace(' ', 'T').replace(/\+00$/, 'Z')).toISOString()
}
