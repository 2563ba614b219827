import { type Db, one } from '../pg/db.ts'
import { rowHash } from './row-hash.ts'
import type { Target, Targets } from './target.ts'
import { beginSnapshot } from './verify-rows.ts'

/** Rows of a live table that are not as the log has it. */
export interface Drift {
  readonly table: string
  /** Rows that differ, are missing or are too many; null when the tables could not be compared. */
  readonly rows: number | null
}

/** Streams that were written since; more are not left out of a comparison one by one. */
const CHANGED_MAX = 5_000

/**
 * Compares live tables with those that were built beside them, leaving out the rows of streams that were written after `position`,
 * up to which the new ones are.
 *
 * @returns tables of which rows differ; null when too much was written meanwhile
 */
export async function compareTables(
  db: Db,
  { live, made }: { live: Targets; made: Targets },
  position: number,
): Promise<Drift[] | null> {
  return db.transaction(async inside => {
    await beginSnapshot(
      inside,
      [...live.values()].map(({ name }) => name),
    )
    const changed = await inside.rows<{ stream: string }>(CHANGED, [position, CHANGED_MAX + 1])
    if (changed.length > CHANGED_MAX) return null
    const streams = changed.map(({ stream }) => stream)
    const drift: Drift[] = []
    for (const [table, target] of made) {
      const rows = await differences(inside, { live: live.get(table), made: target }, streams)
      if (rows !== 0) drift.push({ table, rows })
    }
    return drift
  })
}

const CHANGED = `select distinct stream from log where position > $1::bigint limit $2::int`

async function differences(
  db: Db,
  { live, made }: { live: Target | undefined; made: Target },
  streams: readonly string[],
): Promise<number | null> {
  if (live === undefined || !sameColumns(live, made)) return null
  if ('only' in made.owner && streams.includes(made.owner.only)) return 0
  const where =
    'column' in made.owner
      ? `where ${made.owner.column} <> all ($1::uuid[])`
      : 'where $1::uuid[] is not null'
  const sum = `select count(*) as rows, coalesce(bit_xor(${rowHash(made)}), 0)::text as hash from`
  const was = await one<{ rows: number; hash: string }>(db, `${sum} ${live.name} t ${where}`, [
    streams,
  ])
  const is = await one<{ rows: number; hash: string }>(db, `${sum} ${made.name} t ${where}`, [
    streams,
  ])
  if (was.rows === is.rows && was.hash === is.hash) return 0
  const keys = made.key.map(column => `a.${column} = b.${column}`).join(' and ')
  const hashed = `(select ${made.key.map(column => `t.${column}`).join(', ')}, ${rowHash(made)} as hash from`
  const { rows } = await one<{ rows: number }>(
    db,
    `select count(*) as rows from ${hashed} ${live.name} t ${where}) a full join ${hashed} ${made.name} t ${where}) b on ${keys}
     where a.hash is distinct from b.hash`,
    [streams],
  )
  return rows
}

function sameColumns(one: Target, other: Target): boolean {
  return JSON.stringify(one.columns) === JSON.stringify(other.columns)
}
