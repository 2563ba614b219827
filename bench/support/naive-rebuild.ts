import { evolve } from '../../src/content/evolve.ts'
import type { State } from '../../src/content/state.ts'
import { upcast } from '../../src/content/upcast.ts'
import { readLog } from '../../src/log/read.ts'
import { openBulk, type SiteDatabase } from '../../src/pg/bulk.ts'
import { changeRows } from '../../src/projector/change-rows.ts'
import { isPerEntity, type Projection } from '../../src/projector/define.ts'
import { RowSet } from '../../src/projector/inline.ts'
import { loadInline } from '../../src/projector/tables.ts'
import { loadTargets } from '../../src/projector/target.ts'

/**
 * The rebuild as it is mostly done: the tables emptied, then event after event, each row in a statement of its own, a transaction for
 * each event.
 *
 * @param events how many of the log's first
 * @returns events per second
 */
export async function naiveRebuild(
  database: SiteDatabase,
  projections: readonly Projection[],
  events: number,
): Promise<number> {
  const { db, close } = await openBulk(database)
  try {
    const perEntity = projections.filter(isPerEntity)
    const inline = await loadInline(db, perEntity)
    const targets = await loadTargets(db, perEntity, '')
    for (const table of inline.keys.keys()) await db.script(`truncate ${table}`)
    const states = new Map<string, State>()
    const start = performance.now()
    for (let position = 0; position < events; ) {
      for (const recorded of await readLog(db, position)) {
        position = recorded.position
        const before = states.get(recorded.stream) ?? null
        const event = upcast(recorded)
        const after = evolve(before, event)
        states.set(recorded.stream, after)
        const rows = new RowSet(inline)
        rows.add({ before, event, after })
        await db.transaction(async inside => {
          for (const row of rows.changes()) await changeRows(inside, targets, [row])
        })
      }
    }
    return events / ((performance.now() - start) / 1000)
  } finally {
    await close()
  }
}
