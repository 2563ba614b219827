import type { Db } from '../pg/db.ts'

/** Which events: those for which all that is given holds. */
export interface Selector {
  readonly actor: string | null
  /** Id of the API token they came with. */
  readonly token: string | null
  /** Id of the import that brought them. */
  readonly importId: string | null
  /** Where an import took them from, as `meta.import.from` says: git, … */
  readonly importedFrom: string | null
  /** Id of the undoing that they are of. */
  readonly undo: string | null
  /** Positions after this one, and up to that one. */
  readonly after: number
  readonly upTo: number
}

export interface Selected {
  readonly position: number
  readonly stream: string
  readonly revision: number
}

/** What holds of an event for each thing that is asked for. */
const CLAUSES: Readonly<Record<keyof Omit<Selector, 'after' | 'upTo'>, string>> = {
  actor: 'actor =',
  token: `meta->>'token' =`,
  importId: `meta->>'importId' =`,
  importedFrom: `meta#>>'{import,from}' =`,
  undo: `meta->>'undo' =`,
}

/** Events by who or what made them, oldest first. Goes through all of the range, but for those of one import. */
export async function selectEvents(db: Db, selector: Selector, limit: number): Promise<Selected[]> {
  const values: (string | number)[] = [selector.after, selector.upTo, limit]
  const clauses = Object.entries(CLAUSES).flatMap(([name, clause]) => {
    const value = selector[name as keyof typeof CLAUSES]
    if (value === null) return []
    values.push(value)
    return [`and ${clause} $${values.length}::text`]
  })
  const text = `select position, stream, revision from log
  where position > $1::bigint and position <= $2::bigint ${clauses.join(' ')}
  order by position limit $3::int`
  return db.rows<Selected>(text, values)
}
