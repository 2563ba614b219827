import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import pgCopyStreams from 'pg-copy-streams'
import { sharePriority } from './backend-priority.ts'
import { endClient, LOSES_CLIENTS, openClient } from './client.ts'
import { connectionDb, type Db } from './db.ts'
import { connectionOptions } from './pool.ts'
import { translated } from './sqlstate.ts'

/** Which site of which server a connection of its own is for. */
export interface SiteDatabase {
  readonly url: string
  /** PostgreSQL schema of the site. */
  readonly site: string
}

/** One connection with the rights of the schema's owner, for work on whole tables: no limit of time, and COPY in both directions. */
export interface Bulk {
  readonly db: Db
  /**
   * The lines that `copy (query) to stdout` gives, several to a chunk, cut anywhere. What is not read to its end is read and thrown away.
   *
   * @param query without parameters: only constants and values checked before may stand in it
   */
  copyOut(query: string): AsyncIterable<string>
  /** As `copyOut`, in COPY's binary format. */
  copyOutBinary(query: string): AsyncIterable<Buffer>
  /**
   * Runs `copy … from stdin` with lines in COPY's text format, or with bytes in the format that the statement names. A buffer may be
   * used again when it has fulfilled.
   */
  copyIn(statement: string, lines: Buffer | Iterable<string> | AsyncIterable<Buffer>): Promise<void>
  close(): Promise<void>
}

/** A chunk of events is sorted in memory, and so is an index's share. */
const SETTINGS = [
  'work_mem=64MB',
  'maintenance_work_mem=256MB',
  'idle_in_transaction_session_timeout=0',
  ...LOSES_CLIENTS,
]
const READ_AHEAD_BYTES = 256 * 1024

/** Opens such a connection. @throws UNAVAILABLE */
export async function openBulk({ url, site }: SiteDatabase): Promise<Bulk> {
  const client = await openClient(
    connectionOptions({
      ...{ url, site, restricted: false, statementTimeoutMs: 0, settings: SETTINGS },
      applicationName: 'rm3 bulk',
    }),
  )
  const db = connectionDb(client)
  await sharePriority(db, client.host).catch(async thrown => {
    await endClient(client)
    throw thrown
  })
  return {
    db,
    copyOut: query => copyOut(client, `copy (${query}) to stdout`, 'utf8'),
    copyOutBinary: query => copyOut(client, `copy (${query}) to stdout (format binary)`),
    copyIn: (statement, lines) => copyIn(client, statement, lines),
    close: () => endClient(client),
  }
}

async function* copyOut<Chunk extends string | Buffer>(
  client: pg.Client,
  statement: string,
  encoding?: 'utf8',
): AsyncIterable<Chunk> {
  const stream = client.query(pgCopyStreams.to(statement, { highWaterMark: READ_AHEAD_BYTES }))
  if (encoding !== undefined) stream.setEncoding(encoding)
  let ended = false
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk as Chunk
    ended = true
  } catch (thrown) {
    ended = true
    throw translated(thrown)
  } finally {
    if (!ended) await drained(stream)
  }
}

/** The connection is of use again only once all of a COPY was read. */
async function drained(stream: Readable): Promise<void> {
  for await (const _ of stream) {
    // thrown away
  }
}

async function copyIn(
  client: pg.Client,
  statement: string,
  lines: Buffer | Iterable<string> | AsyncIterable<Buffer>,
) {
  try {
    await pipeline(
      Readable.from(Buffer.isBuffer(lines) ? [lines] : lines, { highWaterMark: 1 }),
      client.query(pgCopyStreams.from(statement)),
    )
  } catch (thrown) {
    throw translated(thrown)
  }
}
