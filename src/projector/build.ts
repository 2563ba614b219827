import { evolve } from '../content/evolve.ts'
import type { State } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import { readStream } from '../log/read.ts'
import type { Db } from '../pg/db.ts'
import type { EntityProjection } from './define.ts'
import { type InlineProjections, RowSet } from './inline.ts'
import { loadRowKeys } from './tables.ts'

const STREAMS_MAX = 500

const STREAMS = `select stream from log where revision = 1 and stream > $1::uuid order by stream limit $2::int`
const NO_STREAM = '00000000-0000-0000-0000-000000000000'

/**
 * Fills a projection's empty tables from the log: each stream is folded in memory and only its final rows are written, some
 * hundred streams at a time. The caller holds the lock on `log_head`.
 */
export async function buildProjection(db: Db, projection: EntityProjection): Promise<void> {
  const inline = await loadRowKeys(db, [projection])
  let last = NO_STREAM
  for (;;) {
    const streams = await db.rows<{ stream: string }>(STREAMS, [last, STREAMS_MAX])
    if (streams.length === 0) return
    for (const { stream } of streams) await buildStream(db, inline, stream)
    last = streams.at(-1)?.stream ?? last
  }
}

/** Writes the rows of one stream as they are at its end. */
async function buildStream(db: Db, inline: InlineProjections, stream: string): Promise<void> {
  const rows = new RowSet(inline)
  let state: State | null = null
  for (;;) {
    const events = await readStream(db, stream, { from: (state?.revision ?? 0) + 1 })
    if (events.length === 0) break
    for (const recorded of events) {
      const event = upcast(recorded)
      const after: State = evolve(state, event)
      rows.add({ before: state, event, after })
      state = after
    }
  }
  await writeRows(db, rows)
}

async function writeRows(db: Db, rows: RowSet): Promise<void> {
  const byTable = new Map<string, object[]>()
  for (const { op, table, row } of rows.changes()) {
    if (op !== 'put') continue
    const known = byTable.get(table)
    if (known) known.push(row)
    else byTable.set(table, [row])
  }
  for (const [table, puts] of byTable) {
    const insert = `insert into ${table} select * from json_populate_recordset(null::${table}, $1::json)`
    await db.rows(insert, [JSON.stringify(puts)])
  }
}
