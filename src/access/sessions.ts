import { SESSION_IDLE_DAYS } from '../content/limits.ts'
import { type Db, find } from '../pg/db.ts'
import { gathered } from '../pg/gathered.ts'
import { FOREVER } from '../projector/define.ts'
import { newSession, parseSession } from './secrets.ts'

/** How long a session lasts at most; without being used, `SESSION_IDLE_DAYS`. */
export const SESSION_DAYS = 30
/** A session's last use is written down no more often than this. */
const SEEN_MINUTES = 5

export interface Session {
  readonly userId: string
  /** What it was begun with. */
  readonly credential: string
  readonly disabled: boolean
  readonly rightsPosition: number
}

const START = `insert into sessions (session_hash, entity_id, credential, expires)
  select $1::bytea, $2::uuid, $4::uuid, now() + $3::int * interval '1 day'
  from credentials where credential = $4::uuid and entity_id = $2::uuid and until_position = ${FOREVER}
  returning entity_id`

/**
 * Begins a session of a user who showed a credential.
 *
 * @returns what goes into the cookie, of which only the hash is kept; null when that credential was removed meanwhile
 */
export async function startSession(
  db: Db,
  userId: string,
  credential: string,
): Promise<string | null> {
  const { session, hash } = newSession()
  const started = await find(db, START, [hash, userId, SESSION_DAYS, credential])
  return started === null ? null : session
}

const FIND = `select encode(s.session_hash, 'hex') as hash, s.entity_id as "userId", s.credential, a.disabled, h.rights_position as "rightsPosition",
    s.seen < now() - ${SEEN_MINUTES} * interval '1 minute' as stale
  from log_head h, sessions s
  join credentials c on c.credential = s.credential and c.until_position = ${FOREVER}
  join accounts a on a.entity_id = s.entity_id
  where s.session_hash = any($1::bytea[]) and s.expires > now() and s.seen > now() - ${SESSION_IDLE_DAYS} * interval '1 day'`

const SESSIONS_AT_ONCE = 32

const findByHash = gathered(SESSIONS_AT_ONCE, async (db, hashes) => {
  const bytes = hashes.map(hash => Buffer.from(hash, 'hex'))
  const found = await db.rows<Session & { hash: string; stale: boolean }>(FIND, [bytes])
  const byHash = new Map(found.map(session => [session.hash, session]))
  return hashes.map(hash => byHash.get(hash) ?? null)
})

/** The session that a cookie names; null when it is none, has ended, its user is gone, or what it was begun with is void. */
export async function findSession(db: Db, cookie: string): Promise<Session | null> {
  const hash = parseSession(cookie)?.hash
  if (hash === undefined) return null
  const session = await findByHash(db, hash.toString('hex'))
  if (session?.stale) {
    await db.rows('update sessions set seen = now() where session_hash = $1::bytea', [hash])
  }
  return session
}

/** Ends the session that a cookie names, if there is one. */
export async function endSession(db: Db, cookie: string): Promise<void> {
  const hash = parseSession(cookie)?.hash
  if (hash) await db.rows('delete from sessions where session_hash = $1::bytea', [hash])
}

/** Forgets the sessions that were begun with credentials which are void now. */
export async function forgetSessions(db: Db, credentials: readonly string[]): Promise<void> {
  await db.rows('delete from sessions where credential = any($1::uuid[])', [credentials])
}
