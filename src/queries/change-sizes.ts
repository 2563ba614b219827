import { type ChangeSize, changeSize } from '../codec/change-size.ts'
import { readState } from '../commands/states.ts'
import type { Stored } from '../content/document.ts'
import { evolve } from '../content/evolve.ts'
import type { State } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import { readStream } from '../log/read.ts'
import type { Db } from '../pg/db.ts'

/** Events that are gone through. */
const EVENTS_MAX = 200

/**
 * How large the changes of an entity's content were, by revision; only of those among the last 200 events before the newest one asked for.
 * Each is held against the content before it, draft or live, which has to be one that the reader may read: others are left out.
 *
 * @param revisions of content
 */
export async function readChangeSizes(
  db: Db,
  entityId: string,
  revisions: readonly number[],
): Promise<Map<number, ChangeSize>> {
  const sizes = new Map<number, ChangeSize>()
  const to = Math.max(0, ...revisions)
  const from = Math.max(Math.min(...revisions, to), to - EVENTS_MAX + 1)
  if (to === 0) return sizes
  const wanted = new Set(revisions)
  let state: State | null = from > 1 ? await readState(db, entityId, from - 1) : null
  for (const row of await readStream(db, entityId, { from, to })) {
    const before = tipOf(state)
    const beforeRevision = state?.kind === 'entity' ? state.tipRevision : 0
    const event = upcast(row)
    state = evolve(state, event)
    const after = tipOf(state)
    const isContent = event.type === 'PageCreated' || event.type === 'PageRevised'
    const isReadable = beforeRevision === 0 || wanted.has(beforeRevision)
    if (isContent && after !== null && wanted.has(event.revision) && isReadable) {
      sizes.set(event.revision, changeSize(before, after))
    }
  }
  return sizes
}

function tipOf(state: State | null): Stored | null {
  return state?.kind === 'entity' ? state.tip : null
}
