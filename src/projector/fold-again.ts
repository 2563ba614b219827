import type { SiteEvent } from '../content/events.ts'
import { evolve } from '../content/evolve.ts'
import type { State } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import { readStream } from '../log/read.ts'
import type { Db } from '../pg/db.ts'
import type { EntityProjection, RowChange } from './define.ts'
import type { TableKeys } from './inline.ts'
import { StreamRows } from './stream-rows.ts'

/** A stream folded from its beginning. */
export interface FoldedAgain {
  readonly state: State | null
  /** All rows it has. */
  readonly rows: readonly RowChange[]
}

/** Whether an event changes what events before it say, so that rows made of those count no longer. */
export function isErasure({ type }: { readonly type: string }): boolean {
  return type === ('Erased' satisfies SiteEvent['type'])
}

/**
 * The rows that a stream has in the end.
 *
 * @param keys what tells rows of one stream apart
 * @param until the last position that counts
 * @param skipped positions of events that are to leave no rows
 */
export async function foldAgain(
  db: Db,
  { projection, keys }: { projection: EntityProjection; keys: TableKeys },
  { stream, until, skipped }: { stream: string; until: number; skipped: ReadonlySet<number> },
): Promise<FoldedAgain> {
  const rows = new StreamRows(keys)
  let state: State | null = null
  for (;;) {
    const read = await readStream(db, stream, { from: (state?.revision ?? 0) + 1 })
    const events = read.filter(({ position }) => position <= until)
    for (const recorded of events) {
      const event = upcast(recorded)
      const after = evolve(state, event)
      if (!skipped.has(event.position)) rows.add([projection], { before: state, event, after })
      state = after
    }
    if (events.length === 0 || events.length < read.length) return { state, rows: [...rows.puts()] }
  }
}
