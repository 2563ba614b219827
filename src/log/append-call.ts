import type { Db } from '../pg/db.ts'
import { type AppendTypes, loadAppendTypes } from './append-types.ts'
import { BatchEncoder, type Prepared } from './batch.ts'

/**
 * What `append` (schema/functions/append.sql) says: of the whole batch that it is done, or that the rights it rests on have changed; or
 * of each append that stands in the way.
 */
export interface Outcome {
  /** Its number in the batch; null for all. */
  readonly append: number | null
  readonly outcome: 'done' | 'repeated' | 'reused' | 'conflict' | 'rights'
  readonly position: number
  readonly recorded_at: string
  readonly stream: string
  readonly revision: number
}

const APPEND = `select * from append($1::new_event[], $2::boolean, $3::inline_rows, $4::bigint)`
/** The types are no longer those that were loaded: another process brought the projections' tables up to date. */
const TYPES_DIFFER = '42804'

/** Calls `append` through one connection, one batch at a time. */
export class AppendCall {
  readonly #db: Pick<Db, 'rows'>
  readonly #encoder = new BatchEncoder()
  #types: AppendTypes | null = null

  constructor(db: Pick<Db, 'rows'>) {
    this.#db = db
  }

  /**
   * Sends a batch once.
   *
   * @throws DATABASE_NEWER when the database's projections are not those that made the rows, or what the database says
   */
  async send(batch: readonly Prepared[]): Promise<Outcome[]> {
    const outcomes = await this.#rows(batch).catch(thrown => {
      if (codeOf(thrown) !== TYPES_DIFFER) throw thrown
      this.#types = null
      return this.#rows(batch)
    })
    if (outcomes.length === 0) throw new Error('append gave no answer')
    return outcomes
  }

  async #rows(batch: readonly Prepared[]): Promise<Outcome[]> {
    this.#types ??= await loadAppendTypes(this.#db)
    const { events, rights, rows, rightsAt } = this.#encoder.encode(batch, this.#types)
    return this.#db.rows<Outcome>(APPEND, [events, rights, rows, rightsAt])
  }
}

function codeOf(thrown: unknown): unknown {
  return (thrown as { code?: unknown } | null)?.code
}
