import { type Db, one } from '../pg/db.ts'
import type { EntityProjection } from './define.ts'
import { rowHash } from './row-hash.ts'
import { beginSnapshot, besideSnapshot } from './snapshot.ts'
import type { Target, Targets } from './target.ts'

/** Rows of a live table that are not as the log has it. */
export interface Drift {
  readonly table: string
  /** Rows that differ, are missing or are too many; null when the tables could not be compared. */
  readonly rows: number | null
}

/** Streams that were written since; more are not left out of a comparison one by one. */
const CHANGED_MAX = 5_000

/**
 * Compares live tables with those that were built beside them, each over a connection of its own, leaving out the rows of streams that were written after the position that
 * either has: `position` is what the new ones have, and a projection that follows may be behind.
 *
 * @returns tables of which rows differ; `rows` is null also where too much was written meanwhile
 */
export async function compareTables(
  [db, other]: readonly [Db, Db],
  projections: readonly EntityProjection[],
  { live, made, position }: { live: Targets; made: Targets; position: number },
): Promise<Drift[]> {
  return db.transaction(async inside => {
    await beginSnapshot(
      inside,
      [...live.values()].map(({ name }) => name),
    )
    return besideSnapshot(inside, other, async beside => {
      const drift: Drift[] = []
      for (const { name, tables } of projections) {
        const changed = await inside.rows<{ stream: string }>(CHANGED, [
          ...[name, position, CHANGED_MAX + 1],
        ])
        const streams = changed.map(({ stream }) => stream)
        for (const table of Object.keys(tables)) {
          const pair = { live: live.get(table), made: made.get(table) }
          const isMuch = streams.length > CHANGED_MAX
          const rows = isMuch ? null : await differences([inside, beside], pair, streams)
          if (rows !== 0) drift.push({ table, rows })
        }
      }
      return drift
    })
  })
}

const CHANGED = `select distinct stream from log where position > least($2::bigint,
    (select position from checkpoints where kind = 'projection' and name = $1::text and mode = 'async')) limit $3::int`

interface Sum {
  readonly rows: number
  readonly hash: string
}

async function differences(
  [db, beside]: readonly [Db, Db],
  { live, made }: { live: Target | undefined; made: Target | undefined },
  streams: readonly string[],
): Promise<number | null> {
  if (live === undefined || made === undefined || !sameColumns(live, made)) return null
  if ('only' in made.owner && streams.includes(made.owner.only)) return 0
  const where =
    'column' in made.owner
      ? `where ${made.owner.column} <> all ($1::uuid[])`
      : 'where $1::uuid[] is not null'
  const sum = `select count(*) as rows, coalesce(bit_xor(${rowHash(made)}), 0)::text as hash from`
  const [was, is] = await Promise.all([
    one<Sum>(db, `${sum} ${live.name} t ${where}`, [streams]),
    one<Sum>(beside, `${sum} ${made.name} t ${where}`, [streams]),
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
