import { upcast } from '../content/upcast.ts'
import { isRm3Error } from '../errors.ts'
import { READ_MAX, readLog } from '../log/read.ts'
import type { Db } from '../pg/db.ts'
import { naming } from './apply.ts'
import { nameTables, type OrderedProjection } from './define.ts'
import { type Finding, logFinding } from './finding.ts'
import { withoutSkipped } from './skipped.ts'
import { beginSnapshot } from './snapshot.ts'
import { loadShapes } from './target.ts'
import { compareTable, EXPECTED } from './verify-rows.ts'

const POSITION = `select position from checkpoints where kind = 'projection' and name = $1::text`

/**
 * Compares an ordered projection's tables with the log: all of it is applied to temporary tables, in one snapshot with the live ones. Of a log that cannot be
 * folded only that is said.
 *
 * @param onEvents told how many events were applied more
 */
export async function verifyOrdered(
  db: Db,
  projection: OrderedProjection,
  onEvents: (count: number) => void,
): Promise<Finding[]> {
  const undone = new Error('undone')
  const findings: Finding[] = []
  await db
    .transaction(async inside => {
      await beginSnapshot(inside, projection.tables)
      await inside.script(`select set_config('search_path', 'pg_temp, ' || current_schema(), true)`)
      await inside.script(nameTables(projection, projection.sql, EXPECTED))
      const [applied = projection] = await withoutSkipped(inside, [projection])
      await applyAll(inside, applied, onEvents)
      const live = await loadShapes(inside, projection.tables)
      for (const target of live) {
        const expected = { ...target, name: `${target.name}${EXPECTED}` }
        const rows = await compareTable(
          inside,
          { live: target, expected },
          { where: 'true', values: [] },
        )
        const { name } = projection
        findings.push(
          ...rows.map(row => ({ ...row, projection: name, table: target.name, stream: null })),
        )
      }
      throw undone
    })
    .catch(thrown => {
      if (isRm3Error(thrown, 'LOG_DAMAGED')) findings.push(logFinding(thrown, null))
      else if (thrown !== undone) throw thrown
    })
  return findings
}

async function applyAll(
  db: Db,
  projection: OrderedProjection,
  onEvents: (count: number) => void,
): Promise<void> {
  const [checkpoint] = await db.rows<{ position: number }>(POSITION, [projection.name])
  const end = checkpoint?.position ?? 0
  for (let position = 0; position < end; ) {
    const events = await readLog(db, position, Math.min(READ_MAX, end - position))
    await projection.apply(
      events.map(event => upcast(event)),
      naming(projection, db, EXPECTED),
    )
    position += events.length
    onEvents(events.length)
  }
}
