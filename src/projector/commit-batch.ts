import type { RecordedEvent } from '../log/event.ts'
import type { Db } from '../pg/db.ts'
import type { Applier } from './apply.ts'
import { advance, type Lease } from './checkpoint.ts'

/**
 * Applies the next events of the log, in order: rows and checkpoint in one transaction.
 *
 * @param skipped positions of events that are to leave no rows
 * @returns the lease as it is then; null when it does not count any more, and nothing was written
 * @throws what the projection throws, or the database
 */
export async function commitBatch(
  db: Db,
  applier: Applier,
  lease: Lease,
  { events, skipped }: { events: readonly RecordedEvent[]; skipped: ReadonlySet<number> },
): Promise<Lease | null> {
  const ready = await applier.prepare(events, skipped)
  try {
    const moved = await db.transaction(async inside => {
      await ready.write(inside)
      const next = await advance(inside, lease, lease.position + events.length)
      if (next === null) throw new LeaseLost()
      return next
    })
    ready.committed()
    return moved
  } catch (thrown) {
    if (thrown instanceof LeaseLost) return null
    throw thrown
  }
}

/** The checkpoint was moved or taken by another, or is of another log: nothing of the batch may stay. */
class LeaseLost extends Error {}
