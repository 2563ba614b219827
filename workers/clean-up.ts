import { type Db, defineWorker, IDEMPOTENCY_HOURS, SESSION_IDLE_DAYS } from 'rm3'

/** Rows that go at once, so that no lock is held for long. */
const ROWS_MAX = 1_000

const EXPIRED = {
  idempotencyKeys: `delete from idempotency_keys where ctid = any(array(
    select ctid from idempotency_keys where created < now() - ${IDEMPOTENCY_HOURS} * interval '1 hour' limit ${ROWS_MAX}))
    returning 1`,
  sessions: `delete from sessions where ctid = any(array(
    select ctid from sessions where expires < now() limit ${ROWS_MAX})) returning 1`,
  idleSessions: `delete from sessions where ctid = any(array(
    select ctid from sessions where seen < now() - ${SESSION_IDLE_DAYS} * interval '1 day' limit ${ROWS_MAX})) returning 1`,
  rateLimits: `delete from rate_limits where ctid = any(array(
    select ctid from rate_limits where until < now() limit ${ROWS_MAX})) returning 1`,
} as const

/** Forgets what has expired: answers kept for retries, sessions, counts of tries. */
export default defineWorker({
  name: 'clean-up',
  schedule: { every: '1h' },
  run: async ({ db, signal }) => {
    const removed: Record<string, number> = {}
    for (const [what, statement] of Object.entries(EXPIRED)) {
      removed[what] = await removeAll(db, statement, signal)
    }
    return removed
  },
})

async function removeAll(db: Db, statement: string, signal: AbortSignal): Promise<number> {
  let removed = 0
  for (;;) {
    signal.throwIfAborted()
    const { length } = await db.rows(statement)
    removed += length
    if (length < ROWS_MAX) return removed
  }
}
