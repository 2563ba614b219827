import { openBulk, type SiteDatabase } from '../pg/bulk.ts'
import { type Db, find } from '../pg/db.ts'
import { addConstraint } from '../pg/table-indexes.ts'
import { NEW, type Plan } from './rebuild-plan.ts'

/** Indexes that are made at once. */
const CONNECTIONS = 2

/** All chunks are loaded. */
export async function endLoad(db: Db): Promise<void> {
  await db.transaction(async inside => {
    await inside.rows(
      `update rebuilds set phase = 'follow', position = greatest(loaded_to, ordered_to)`,
    )
    await inside.rows('delete from rebuild_chunks')
  })
}

/** Makes those indexes and constraints of loaded tables that are not there yet, and looks at what is in them, for good plans. */
export async function indexTables(database: SiteDatabase, plan: Plan): Promise<void> {
  await untilUnused(database, plan)
  await sharedOut(database, plan.indexes)
  // not beside them: no table is analysed while an index of it is being made
  await sharedOut(
    database,
    plan.tables.map(table => `analyze ${table}${NEW}`),
  )
  const { db, close } = await openBulk(database)
  try {
    for (const constraint of plan.constraints) {
      const known = await find(db, CONSTRAINT, [constraint.table, constraint.name])
      if (known === null) await addConstraint(db, constraint)
    }
  } finally {
    await close()
  }
}

/** Waits for what a rebuild that was killed has the server make still. */
async function untilUnused(database: SiteDatabase, { tables }: Plan): Promise<void> {
  if (tables.length === 0) return
  const { db, close } = await openBulk(database)
  try {
    const names = tables.map(table => `${table}${NEW}`).join(', ')
    await db.transaction(inside =>
      inside.script(`set local lock_timeout = 0; lock table ${names} in share row exclusive mode`),
    )
  } finally {
    await close()
  }
}

/** Runs statements over several connections, each as soon as one is free. */
async function sharedOut(database: SiteDatabase, statements: readonly string[]): Promise<void> {
  const waiting = [...statements]
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const { db, close } = await openBulk(database)
      try {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          await db.script(next)
        }
      } finally {
        await close()
      }
    }),
  )
}

const CONSTRAINT = `select conname from pg_constraint where conrelid = to_regclass($1::text) and conname = $2::text`
