import { type Db, find } from '../pg/db.ts'

/** How long whoever follows may be silent before another takes his place. */
export const LEASE_SECONDS = 10

/** The right to move a projection's checkpoint, for as long as nobody else takes it. */
export interface Lease {
  readonly name: string
  readonly version: number
  readonly token: number
  readonly epoch: string
  /** Everything up to here is in the rows. */
  readonly position: number
  readonly state: 'building' | 'live'
}

const TAKE = `update checkpoints set lease_token = lease_token + 1, lease_owner = $3::text,
    lease_until = now() + make_interval(secs => ${LEASE_SECONDS}), updated = now(),
    epoch = case when checkpoints.position = 0 then h.epoch else checkpoints.epoch end
  from log_head h
  where kind = 'projection' and mode = 'async' and name = $1::text and version = $2::int and state in ('building', 'live')
    and (lease_until is null or lease_until < now())
  returning name, version, lease_token as token, checkpoints.epoch, checkpoints.position, state`

/** Takes a projection that nobody follows; null when somebody does, or it is not to be followed in this version. */
export async function takeLease(
  db: Db,
  projection: { readonly name: string; readonly version: number },
  owner: string,
): Promise<Lease | null> {
  return find<Lease>(db, TAKE, [projection.name, projection.version, owner])
}

/** What the checkpoint must still say for a lease to count. */
const HELD = `kind = 'projection' and name = $1::text and version = $2::int and lease_token = $3::bigint
    and checkpoints.epoch = $4::uuid and checkpoints.position = $5::bigint and state = $6::text`

function held({ name, version, token, epoch, position, state }: Lease): unknown[] {
  return [name, version, token, epoch, position, state]
}

const ADVANCE = `update checkpoints set position = $7::bigint, tries = 0, error = null, error_position = null, updated = now(),
    lease_until = now() + make_interval(secs => ${LEASE_SECONDS}),
    state = case when h.position = $7::bigint then 'live' else state end
  from log_head h
  where ${HELD} and h.epoch = checkpoints.epoch and h.position >= $7::bigint
  returning state`

/**
 * Moves the checkpoint, in the transaction that writes the rows, and holds the lease on. At the end of the log the projection is live.
 *
 * @returns null when the lease does not count any more, or the log is not the one that was followed: then nothing may be committed
 */
export async function advance(db: Db, lease: Lease, position: number): Promise<Lease | null> {
  const moved = await find<{ state: Lease['state'] }>(db, ADVANCE, [...held(lease), position])
  return moved === null ? null : { ...lease, position, state: moved.state }
}

const FAIL = `update checkpoints set state = 'failed', error = $7::text, error_position = $8::bigint, tries = $9::int,
    lease_owner = null, lease_until = null, updated = now()
  where ${HELD}`

/** Stops a projection, saying why; without effect when the lease does not count any more. */
export async function fail(
  db: Db,
  lease: Lease,
  why: { error: string; position: number | null; tries: number },
): Promise<void> {
  await db.rows(FAIL, [...held(lease), why.error, why.position, why.tries])
}

const TROUBLE = `update checkpoints set error = $7::text, tries = $8::int, updated = now(),
    lease_until = now() + make_interval(secs => ${LEASE_SECONDS})
  where ${HELD}`

/** Notes what goes wrong while it is tried again, and holds the lease on. */
export async function noteTrouble(
  db: Db,
  lease: Lease,
  error: string,
  tries: number,
): Promise<void> {
  await db.rows(TROUBLE, [...held(lease), error, tries])
}

const RELEASE = `update checkpoints set lease_owner = null, lease_until = null
  where kind = 'projection' and name = $1::text and lease_token = $2::bigint`

/** Lets others take the projection at once. */
export async function releaseLease(db: Db, { name, token }: Lease): Promise<void> {
  await db.rows(RELEASE, [name, token])
}

/** Where the log is, and whether a lease still counts. */
export interface Standing {
  readonly head: number
  readonly epoch: string
  readonly held: boolean
}

const HOLD = `with renewed as (
    update checkpoints set lease_until = now() + make_interval(secs => ${LEASE_SECONDS})
    where ${HELD} and lease_until < now() + make_interval(secs => ${LEASE_SECONDS / 2})
    returning name
  )
  select h.position as head, h.epoch, exists (select from checkpoints where ${HELD}) as held
  from log_head h left join renewed on true`

/** Looks where the log is, and holds the lease on when half of it has passed. */
export async function look(db: Db, lease: Lease): Promise<Standing> {
  const standing = await find<Standing>(db, HOLD, held(lease))
  if (standing === null) throw new Error('log_head is empty: the schema is damaged')
  return standing
}

const SKIPPED = `select position from skipped_events where name = $1::text`

/** Positions that an operator had a projection leave out. */
export async function listSkipped(db: Db, name: string): Promise<Set<number>> {
  const rows = await db.rows<{ position: number }>(SKIPPED, [name])
  return new Set(rows.map(({ position }) => position))
}
