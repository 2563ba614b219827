import type { Db } from '../pg/db.ts'

/** Which events: those for which all that is given holds. */
export interface Selector {
  readonly actor: string | null
  /** Id of the API token they came with. */
  readonly token: string | null
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

const SELECT = `select position, stream, revision from log
  where position > $1::bigint and position <= $2::bigint
    and ($3::text is null or actor = $3::text)
    and ($4::text is null or meta->>'token' = $4::text)
    and ($5::text is null or meta#>>'{import,from}' = $5::text)
    and ($6::text is null or meta->>'undo' = $6::text)
  order by position limit $7::int`

/** Events by who or what made them, oldest first. Goes through all of the range. */
export async function selectEvents(
  db: Db,
  { actor, token, importedFrom, undo, after, upTo }: Selector,
  limit: number,
): Promise<Selected[]> {
  return db.rows<Selected>(SELECT, [after, upTo, actor, token, importedFrom, undo, limit])
}
