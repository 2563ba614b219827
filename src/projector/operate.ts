import { Rm3Error } from '../errors.ts'
import { type Db, find } from '../pg/db.ts'

interface Row {
  readonly mode: 'inline' | 'async'
  readonly state: string
  readonly position: number
  readonly error: string | null
  readonly errorPosition: number | null
}

/** The lease changes hands, so that whoever follows begins anew from what is written here. */
const RENEWED = `lease_token = lease_token + 1, lease_owner = null, lease_until = null, tries = 0, updated = now()`

const RETRY = `update checkpoints set state = 'building', error = null, error_position = null, ${RENEWED}
  where kind = 'projection' and name = $1::text`

/** Has a failed projection try again where it stopped. @throws PROJECTION_NOT_FOUND, PROJECTION_STATE when it has not failed */
export async function retryProjection(db: Db, name: string): Promise<void> {
  await db.transaction(async inside => {
    await demandState(inside, name, ['failed'])
    await inside.rows(RETRY, [name])
  })
}

const PAUSE = `update checkpoints set state = 'paused', ${RENEWED} where kind = 'projection' and name = $1::text`

/** Stops a projection until it is resumed. @throws PROJECTION_NOT_FOUND, PROJECTION_STATE when it does not run */
export async function pauseProjection(db: Db, name: string): Promise<void> {
  await db.transaction(async inside => {
    await demandState(inside, name, ['building', 'live'])
    await inside.rows(PAUSE, [name])
  })
}

/** Lets a paused projection go on. @throws PROJECTION_NOT_FOUND, PROJECTION_STATE when it is not paused */
export async function resumeProjection(db: Db, name: string): Promise<void> {
  await db.transaction(async inside => {
    await demandState(inside, name, ['paused'])
    await inside.rows(RETRY, [name])
  })
}

const RECORD = `insert into skipped_events (name, position, event_id, error, actor, reason)
  select $1::text, position, event_id, $3::text, $4::text, $5::text from log where position = $2::bigint
  on conflict (name, position) do nothing`

/**
 * Has a failed projection leave out the event that it cannot apply, on record, and go on behind it.
 *
 * @param skip `position` of that event; `actor`: who wants it
 * @throws PROJECTION_NOT_FOUND, PROJECTION_STATE when it has not failed at that event
 */
export async function skipEvent(
  db: Db,
  name: string,
  skip: { position: number; actor: string; reason: string | null },
): Promise<void> {
  const { position, actor, reason } = skip
  await db.transaction(async inside => {
    const { errorPosition, error } = await demandState(inside, name, ['failed'])
    if (errorPosition !== position) {
      const where = errorPosition === null ? 'at no event' : `at position ${errorPosition}`
      throw refused(name, `it failed ${where}, not at position ${position}`)
    }
    await inside.rows(RECORD, [name, position, error, actor, reason])
    await inside.rows(RETRY, [name])
  })
}

const FOR_UPDATE = `select mode, state, position, error, error_position as "errorPosition" from checkpoints
  where kind = 'projection' and name = $1::text for update`

async function demandState(db: Db, name: string, states: readonly string[]): Promise<Row> {
  const row = await find<Row>(db, FOR_UPDATE, [name])
  if (row === null) {
    throw new Rm3Error('PROJECTION_NOT_FOUND', `there is no projection "${name}"`, { name })
  }
  if (row.mode === 'inline') throw refused(name, 'it is written with each save and never stops')
  if (!states.includes(row.state)) throw refused(name, `it is ${row.state}`)
  return row
}

function refused(name: string, why: string): Rm3Error {
  return new Rm3Error('PROJECTION_STATE', `the projection "${name}" cannot do that: ${why}`, {
    name,
  })
}
