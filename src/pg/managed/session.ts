import pg from 'pg'
import { APP_LOGS_IN } from '../pool.ts'
import type { Place } from './place.ts'

/** Held shared by every process that uses the server, alone by the one that stops it. A number of ours: "rm3 lease". */
const LEASE_LOCK = 0x726d_336c
const CONNECT_TIMEOUT_MS = 5_000

/** What a server says of itself. */
export interface Identity {
  readonly dataFolder: string
  readonly clusterName: string
}

/** Others that use the server, as they name themselves. */
export type Users = readonly string[]

/** A superuser's connection to a managed server, for what concerns the server itself. */
export class Session {
  readonly #client: pg.Client
  /** settles when the connection is gone, by our doing or the server's */
  readonly closed: Promise<void>

  private constructor(client: pg.Client) {
    this.#client = client
    this.closed = new Promise(resolve => client.once('end', () => resolve()))
    client.on('error', () => {}) // the server's end is no error of ours; `closed` tells
  }

  /**
   * @param applicationName who we are, shown to those who wait for us
   * @throws what node-postgres throws; `isStartingOrStopping` and `isNoServer` tell the kinds apart
   */
  static async open(place: Place, applicationName: string): Promise<Session> {
    const client = new pg.Client({
      connectionString: urlOf(place, 'postgres'),
      application_name: applicationName,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    })
    const session = new Session(client)
    await client.connect()
    return session
  }

  async identity(): Promise<Identity> {
    const { rows } = await this.#client.query<Identity>(
      `select current_setting('data_directory') "dataFolder", current_setting('cluster_name') "clusterName"`,
    )
    return rows[0] ?? { dataFolder: '', clusterName: '' }
  }

  async ensureDatabase(name: string): Promise<void> {
    const { rowCount } = await this.#client.query('select from pg_database where datname = $1', [
      name,
    ])
    if (rowCount === 1) return
    await this.#client.query(`create database ${pg.escapeIdentifier(name)}`).catch(thrown => {
      if (!isDuplicateDatabase(thrown)) throw thrown
    })
  }

  /** Says that we use the server, until this session is closed. Waits while somebody is about to stop it. */
  async takeLease(): Promise<void> {
    await this.#client.query('select pg_advisory_lock_shared($1::bigint)', [LEASE_LOCK])
  }

  /** Waits until nobody has a lease, and keeps new ones from being given. */
  async awaitNoLeases(): Promise<void> {
    await this.#client.query('select pg_advisory_lock($1::bigint)', [LEASE_LOCK])
  }

  /** Who has a lease. */
  async users(): Promise<Users> {
    const { rows } = await this.#client.query<{ name: string }>(
      `select distinct application_name as name
         from pg_locks join pg_stat_activity using (pid)
        where locktype = 'advisory' and granted and mode = 'ShareLock'
          and objid = $1::bigint and classid = 0
        order by 1`,
      [LEASE_LOCK],
    )
    return rows.map(row => row.name)
  }

  /** Lets this process end although the session is open. */
  letGo(): void {
    // The types of node-postgres do not tell of it.
    if ('unref' in this.#client && typeof this.#client.unref === 'function') this.#client.unref()
  }

  async close(): Promise<void> {
    if ('ref' in this.#client && typeof this.#client.ref === 'function') this.#client.ref()
    await this.#client.end()
  }
}

/** The URL of a database of the server in `place`, for node-postgres and psql alike. */
export function urlOf(place: Place, database: string): string {
  const query = new URLSearchParams({
    host: place.socketFolder,
    port: '5432',
    user: 'postgres',
    options: `-c ${APP_LOGS_IN}`,
  })
  return `postgresql:///${database}?${query.toString().replaceAll('+', '%20')}`
}

/** Whether a server is there that takes no connections now, but may soon, or has just ended. */
export function isStartingOrStopping(thrown: unknown): boolean {
  return codeOf(thrown) === '57P03' || codeOf(thrown) === '57P01'
}

/** Whether nobody listens on the socket, or whoever did ended before it answered. */
export function isNoServer(thrown: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes(codeOf(thrown))
}

function isDuplicateDatabase(thrown: unknown): boolean {
  return ['42P04', '23505'].includes(codeOf(thrown))
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
}
