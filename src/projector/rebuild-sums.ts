import { type Bulk, openBulk, type SiteDatabase } from '../pg/bulk.ts'
import type { Db } from '../pg/db.ts'
import { one } from '../pg/db.ts'
import { rowHash } from './row-hash.ts'
import type { Target, Targets } from './target.ts'

/** Tables that are summed up at once. */
const CONNECTIONS = 2

const TRIGGERS: readonly (readonly [event: string, transition: string])[] = [
  ['insert', 'new table as added'],
  ['update', 'old table as removed new table as added'],
  ['delete', 'old table as removed'],
]

/**
 * From here on the database sums up what is written to tables that are being built: how many rows, and their checksums. Each sum is written in
 * the transaction of its rows, so those of a chunk that is given up go with it.
 */
export async function sumRows(db: Db, made: Targets): Promise<void> {
  await db.script('delete from rebuild_sums')
  for (const { table, name, ...target } of made.values()) {
    for (const [event, transition] of TRIGGERS) {
      await db.script(`create trigger ${triggerOf(name, event)} after ${event} on ${name} referencing ${transition}
        for each statement execute function sum_rows('${table}', '${rowHash(target)}')`)
    }
  }
}

function triggerOf(name: string, event: string): string {
  return `${name}_sums_${event}`
}

/** Tables that do not hold what was written to them; they are not to be written to meanwhile. */
export async function listAltered(database: SiteDatabase, made: Targets): Promise<string[]> {
  const waiting = [...made.values()]
  const altered: string[] = []
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const bulk = await openBulk(database)
      try {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          if (!(await holdsAll(bulk, next))) altered.push(next.table)
        }
      } finally {
        await bulk.close()
      }
    }),
  )
  return altered.sort()
}

async function holdsAll({ db }: Bulk, target: Target): Promise<boolean> {
  const { same } = await one<{ same: boolean }>(
    db,
    `select (w.rows, w.hash) = (h.rows, h.hash) as same
      from (select coalesce(sum(rows), 0) as rows, coalesce(bit_xor(hash), 0) as hash from rebuild_sums where made_table = $1::text) w,
        (select count(*) as rows, coalesce(bit_xor(${rowHash(target)}), 0) as hash from ${target.name} t) h`,
    [target.table],
  )
  return same
}

/** Ends what `sumRows` began, and writes down what came of it. */
export async function endSums(db: Db, made: Targets, altered: readonly string[]): Promise<void> {
  await db.transaction(async inside => {
    for (const { name } of made.values()) {
      for (const [event] of TRIGGERS) {
        await inside.script(`drop trigger if exists ${triggerOf(name, event)} on ${name}`)
      }
    }
    await inside.script('delete from rebuild_sums')
    await inside.rows('update rebuilds set altered = $1::text[]', [altered])
  })
}
