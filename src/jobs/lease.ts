import type { Json } from '../codec/json.ts'
import { Rm3Error } from '../errors.ts'
import { type Db, find } from '../pg/db.ts'
import type { WorkerRow } from './checkpoints.ts'

/** The right to run a worker: whoever has the newest token. */
export interface Lease {
  readonly name: string
  readonly token: number
  /** When the worker was due, and up to where its subscription is. */
  readonly due: string | null
  readonly position: number
  /** Which try in a row this is, from 1. */
  readonly tries: number
}

/** A process that ended without a word is succeeded after this. */
export const LEASE_SECONDS = 20

const TAKE = `update checkpoints set lease_token = lease_token + 1, lease_owner = $3::text,
    lease_until = now() + ${LEASE_SECONDS} * interval '1 second', tries = tries + 1, retry_at = null, started = now(), progress = null,
    updated = now()
  where kind = 'worker' and name = $1::text and lease_token = $2::bigint and (lease_until is null or lease_until <= now())
  returning name, lease_token as token, due, position, tries`

/**
 * Takes the lease of a worker, if nobody has since the row was read: of any number of processes that find it due, one gets it.
 *
 * @returns null when another was faster
 */
export async function takeLease(db: Db, row: WorkerRow, owner: string): Promise<Lease | null> {
  return find<Lease>(db, TAKE, [row.name, row.token, owner])
}

const HELD = `kind = 'worker' and name = $1::text and lease_token = $2::bigint`

const RENEW = `update checkpoints set lease_until = now() + ${LEASE_SECONDS} * interval '1 second', progress = $3::text, updated = now()
  where ${HELD} returning name`

/** Keeps the lease for some time more. @returns false when it is another's now */
export async function renewLease(db: Db, lease: Lease, progress: string | null): Promise<boolean> {
  return (await find(db, RENEW, [lease.name, lease.token, progress])) !== null
}

/** What was done counts: an event that fails after others went well is tried as often as any. */
const ADVANCE = `update checkpoints set position = $4::bigint, tries = 1, updated = now()
  where ${HELD} and position = $3::bigint and epoch = (select epoch from log_head) returning name`

/** Moves a subscription on after a batch. @throws LEASE_LOST when the lease is another's now, or the log went back */
export async function advanceCheckpoint(
  db: Db,
  lease: Lease,
  { from, to }: { from: number; to: number },
): Promise<void> {
  const moved = await find(db, ADVANCE, [lease.name, lease.token, from, to])
  if (moved !== null) return
  throw new Rm3Error('LEASE_LOST', `the worker "${lease.name}" is run by another now`, {
    name: lease.name,
  })
}

const FREE = 'lease_owner = null, lease_until = null, progress = null, updated = now()'

const SUCCEED = `update checkpoints set state = 'live', tries = 0, retry_at = null, error = null, error_position = null,
    due = $3::timestamptz, report = $4::json, ended = now(), epoch = (select epoch from log_head), ${FREE}
  where ${HELD} returning name`

/** A run ended well. @param due when the next one is @returns false when the lease was lost meanwhile */
export async function succeed(
  db: Db,
  lease: Lease,
  { due, report }: { due: string | null; report: Json },
): Promise<boolean> {
  return (await find(db, SUCCEED, [lease.name, lease.token, due, JSON.stringify(report)])) !== null
}

const BACK_OFF_SECONDS = 10
const BACK_OFF_MAX_SECONDS = 3_600

/** After a failure it is tried again in 10 s, then 40 s, 160 s … at most an hour. */
const FAIL = `update checkpoints set
    state = case when tries >= $5::int then 'failed' else state end,
    retry_at = case when tries < $5::int
      then now() + least(${BACK_OFF_SECONDS} * 4 ^ least(tries - 1, 10), ${BACK_OFF_MAX_SECONDS}) * interval '1 second' end,
    error = $3::text, error_position = $4::bigint, ended = now(), ${FREE}
  where ${HELD} returning state, tries`

const ERROR_MAX = 2_000

/** What went wrong in a run. */
export interface Failure {
  readonly error: string
  /** The first event of the batch that failed. */
  readonly position: number | null
}

/** A run failed. @param triesMax after so many tries in a row no more is made @returns null when the lease was lost meanwhile */
export async function fail(
  db: Db,
  lease: Lease,
  { error, position, triesMax }: Failure & { triesMax: number },
): Promise<{ state: string; tries: number } | null> {
  const values = [lease.name, lease.token, error.slice(0, ERROR_MAX), position, triesMax]
  return find<{ state: string; tries: number }>(db, FAIL, values)
}

const RELEASE = `update checkpoints set tries = greatest(tries - 1, 0), ${FREE} where ${HELD}`

/** Gives the lease back as if nothing had been run: another process does it at once. */
export async function release(db: Db, lease: Lease): Promise<void> {
  await db.rows(RELEASE, [lease.name, lease.token])
}
