import type { Socket } from 'node:net'
import pg from 'pg'
import { Rm3Error } from '../errors.ts'
import { connectionDb, one } from './db.ts'

const CONNECT_TIMEOUT_MS = 8_000
const CLOSE_TIMEOUT_MS = 1_000
/** So often is looked whether a statement is still answered. */
const LOOK_MS = 1_000
/** Nothing was heard for so long while a statement is under way: long ones, and a dead network, are alike up to here. */
const SILENT_MS = 8_000

/** Settings with which the server too lets go of a client that it cannot reach any more, and of its locks. */
export const LOSES_CLIENTS = [
  ...['tcp_keepalives_idle=15', 'tcp_keepalives_interval=5', 'tcp_keepalives_count=3'],
  'tcp_user_timeout=30000',
]

/** What clients of node-postgres have beside what its types say. */
interface Client extends pg.Client {
  /** False while a statement is under way. */
  readonly readyForQuery: boolean
  readonly connection: pg.Connection & { readonly stream: Socket }
}

/**
 * Opens a connection whose statements may take as long as they need, but not for ever when the way to the server is lost. A network that
 * swallows everything does not say so; what does not come can only be asked for: after some seconds without a byte another connection asks the server
 * whether it still works at the statement, and when the server cannot be asked, or does not know of it, the connection is given up.
 *
 * @throws UNAVAILABLE when the server cannot be reached; so does every statement of a connection that was given up
 */
export async function openClient(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client({ ...config, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  client.on('error', () => {}) // the statement under way tells of it
  await client.connect().catch(cause => {
    throw new Rm3Error('UNAVAILABLE', 'the database cannot be reached', { cause })
  })
  try {
    const { pid } = await one<{ pid: number }>(connectionDb(client), PROCESS)
    const timer = setInterval(watcher(client as Client, pid, config), LOOK_MS)
    timer.unref()
    client.once('end', () => clearInterval(timer))
    return client
  } catch (thrown) {
    await endClient(client)
    throw thrown
  }
}

/** Ends a connection; one to a server that does not answer is given up after a second. */
export async function endClient(client: pg.Client): Promise<void> {
  const timer = setTimeout(() => client.connection.stream.destroy(), CLOSE_TIMEOUT_MS)
  await client.end()
  clearTimeout(timer)
}

// what the server's greeting says may be made up by a pooler on the way
const PROCESS = 'select pg_backend_pid() as pid'

function watcher(client: Client, pid: number, config: pg.ClientConfig): () => void {
  let heard = -1
  let heardAt = 0
  let isAsking = false
  const isHeard = () => client.readyForQuery || client.connection.stream.bytesRead !== heard
  const look = async () => {
    if (isHeard()) {
      heard = client.connection.stream.bytesRead
      heardAt = performance.now()
    }
    if (performance.now() - heardAt < SILENT_MS) return
    const isWorking = await isAtWork(pid, config)
    // an answer may have been on its way while the server said that it had given it
    if (isWorking || isHeard()) heardAt = performance.now()
    else giveUp(client)
  }
  return () => {
    if (isAsking) return
    isAsking = true
    void look().finally(() => {
      isAsking = false
    })
  }
}

/** SQLSTATE (PostgreSQL manual, appendix A). */
const TOO_MANY_CONNECTIONS = '53300'
const STATE = `select state from pg_stat_activity where pid = $1::int`

/** Whether the server says that it works at the statement of a connection. */
async function isAtWork(pid: number, config: pg.ClientConfig): Promise<boolean> {
  const asking = new pg.Client({
    ...{ ...config, application_name: 'rm3 asking' },
    ...{ connectionTimeoutMillis: CONNECT_TIMEOUT_MS, query_timeout: CONNECT_TIMEOUT_MS / 2 },
  })
  asking.on('error', () => {}) // it is what is asked
  try {
    await asking.connect()
    const { rows } = await asking.query<{ state: string }>(STATE, [pid])
    return rows[0]?.state === 'active'
  } catch (thrown) {
    // a server that has no connection left answers: it is there
    return (thrown as { code?: unknown }).code === TOO_MANY_CONNECTIONS
  } finally {
    await endClient(asking)
  }
}

function giveUp(client: pg.Client): void {
  const lost = new Rm3Error('UNAVAILABLE', 'the database does not answer any more')
  client.connection.stream.destroy(lost)
}
