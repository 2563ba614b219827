import pg from 'pg'
import { Rm3Error } from '../errors.ts'
import { endClient, openClient } from './client.ts'
import { connectionDb, type Db } from './db.ts'
import { connectionOptions, type PoolOptions } from './pool.ts'

/**
 * One connection of its own, opened when first needed and opened anew after it was lost.
 *
 * A statement whose answer was lost rejects with UNAVAILABLE: whether it took effect is not known.
 */
export class Connection {
  readonly #options: PoolOptions
  #client: pg.Client | null = null
  #connecting: Promise<pg.Client> | null = null
  #closed = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** As `Db.rows`; one statement at a time. */
  async rows<Row>(text: string, values: readonly unknown[]): Promise<Row[]> {
    const client = await this.#connected()
    try {
      return await connectionDb(client).rows<Row>(text, values)
    } catch (thrown) {
      if (thrown instanceof Rm3Error && thrown.code === 'UNAVAILABLE') this.#drop(client)
      throw thrown
    }
  }

  /** Ends the connection; one to a server that does not answer is given up after a second. */
  async close(): Promise<void> {
    this.#closed = true
    const client = this.#client
    this.#client = null
    if (client !== null) await endClient(client)
  }

  /** Those who ask while a connection is being made wait for that one. */
  async #connected(): Promise<pg.Client> {
    if (this.#client) return this.#client
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = null
    })
    return this.#connecting
  }

  async #connect(): Promise<pg.Client> {
    if (this.#closed) throw new Rm3Error('UNAVAILABLE', 'rm3 is shutting down')
    const { statementTimeoutMs = 10_000 } = this.#options
    const client = new pg.Client({
      ...connectionOptions(this.#options),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: statementTimeoutMs + ANSWER_MARGIN_MS,
    })
    client.on('error', () => this.#drop(client))
    await client.connect().catch(cause => {
      throw new Rm3Error('UNAVAILABLE', 'the database cannot be reached just now', { cause })
    })
    if (this.#closed) this.#drop(client)
    else this.#client = client
    return client
  }

  #drop(client: pg.Client): void {
    if (this.#client === client) this.#client = null
    client.end().catch(() => {}) // it is lost already
  }
}

const CONNECT_TIMEOUT_MS = 10_000
const ANSWER_MARGIN_MS = 5_000

/** One connection to a site's schema, with the rights of the connecting user, to look at what is there. @throws UNAVAILABLE */
export async function openDb(
  url: string,
  site: string,
): Promise<{ db: Db; close: () => Promise<void> }> {
  const client = await openClient(connectionOptions({ url, site, restricted: false }))
  return { db: connectionDb(client), close: () => endClient(client) }
}
