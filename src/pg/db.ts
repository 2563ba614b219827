import { createHash } from 'node:crypto'
import type { ClientBase, Pool } from 'pg'
import { Rm3Error } from '../errors.ts'
import { translated } from './sqlstate.ts'

/** What everything above `src/pg` knows of the database: a pool, or one connection inside a transaction. */
export interface Db {
  /**
   * Rows of one statement. Statements are prepared by their text (but for `plannedAnew`), so the text must be constant or one of a few; values
   * go as parameters, each cast (`$1::text`).
   *
   * @throws Rm3Error with a code when the caller or the server's state is the cause (see `sqlstate.ts`)
   */
  rows<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** Runs a script of several statements, without parameters. */
  script(text: string): Promise<void>
  /** Runs `work` in one transaction: committed when it fulfils, rolled back when it rejects. Inside one, it joins. */
  transaction<Result>(work: (db: Db) => Promise<Result>): Promise<Result>
}

/** The one row that a statement gives. @throws an assertion-like Error when there is none: a bug */
export async function one<Row>(db: Db, text: string, values?: readonly unknown[]): Promise<Row> {
  const [row] = await db.rows<Row>(text, values)
  if (row === undefined) throw new Error(`no row: ${text}`)
  return row
}

/** The first row or null. */
export async function find<Row>(
  db: Db,
  text: string,
  values?: readonly unknown[],
): Promise<Row | null> {
  const [row] = await db.rows<Row>(text, values)
  return row ?? null
}

/** A `Db` over a pool: each statement on whichever connection is free. */
export function poolDb(pool: Pool): Db {
  return {
    rows: (text, values) => run(pool, text, values),
    script: async text => {
      await pool.query(text).catch(rethrow)
    },
    transaction: work => inTransaction(pool, work),
  }
}

/** A `Db` over one connection that the caller owns and that is in no transaction. */
export function connectionDb(client: ClientBase): Db {
  return { ...insideDb(client), transaction: work => between(client, work) }
}

/** A `Db` inside a transaction of `client`. */
function insideDb(client: ClientBase): Db {
  const db: Db = {
    rows: (text, values) => run(client, text, values),
    script: async text => {
      await client.query(text).catch(rethrow)
    },
    transaction: work => work(db),
  }
  return db
}

async function inTransaction<Result>(
  pool: Pool,
  work: (db: Db) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect().catch(rethrow)
  let broken: unknown
  try {
    return await between(client, work)
  } catch (thrown) {
    broken = thrown
    throw thrown
  } finally {
    client.release(isBroken(broken) ? broken : undefined)
  }
}

/** Runs `work` between begin and commit. */
async function between<Result>(
  client: ClientBase,
  work: (db: Db) => Promise<Result>,
): Promise<Result> {
  await client.query('begin').catch(rethrow)
  try {
    const result = await work(insideDb(client))
    await client.query('commit').catch(rethrow)
    return result
  } catch (thrown) {
    if (isBroken(thrown)) throw thrown // the server rolls back when the connection ends
    await client.query('rollback').catch(cause => {
      throw new Rm3Error('UNAVAILABLE', 'the connection to the database was lost', { cause })
    })
    throw thrown
  }
}

function isBroken(thrown: unknown): thrown is Error {
  return thrown instanceof Rm3Error && thrown.code === 'UNAVAILABLE'
}

const PLANNED_ANEW = '-- planned with its values\n'

/**
 * The text of a statement whose best plan depends on its values, such as how many rows have a word. It is not prepared: the server would keep a
 * plan that knows no values after some calls, for all that come.
 */
export function plannedAnew(text: string): string {
  return `${PLANNED_ANEW}${text}`
}

const STATEMENTS_MAX = 1000
const names = new Map<string, string>()

async function run<Row>(
  target: Pool | ClientBase,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const name = text.startsWith(PLANNED_ANEW) ? undefined : nameOf(text)
  const result = await target
    .query({ ...(name !== undefined && { name }), text, values: values as unknown[] })
    .catch(rethrow)
  return result.rows as Row[]
}

/** A name by content, so that the same text is the same prepared statement on every connection. */
function nameOf(text: string): string {
  let name = names.get(text)
  if (name === undefined) {
    if (names.size >= STATEMENTS_MAX) names.clear()
    name = createHash('sha256').update(text).digest('base64url').slice(0, 22)
    names.set(text, name)
  }
  return name
}

function rethrow(thrown: unknown): never {
  throw translated(thrown)
}
