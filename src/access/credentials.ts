import { type Db, find } from '../pg/db.ts'
import { gathered } from '../pg/gathered.ts'
import { FOREVER } from '../projector/define.ts'

/** A secret that is valid now: the log says that its credential is set, and the table of secrets holds it. */
export interface ValidSecret {
  readonly credential: string
  readonly userId: string
  /** A password's hash with its parameters, or the SHA-256 of a token in hexadecimal. */
  readonly secret: string
  readonly scope: string | null
  /** RFC 3339, or null when it does not end. */
  readonly expires: string | null
  readonly disabled: boolean
  readonly rightsPosition: number
}

const VALID = `select c.credential, c.entity_id as "userId", s.secret, c.scope, c.expires, a.disabled,
    h.rights_position as "rightsPosition"
  from log_head h, credentials c
  join credential_secrets s on s.credential = c.credential
  join accounts a on a.entity_id = c.entity_id
  where c.until_position = ${FOREVER} and c.provider = $2::text and `

const TOKENS = `${VALID} c.credential = any($1::uuid[])`
const BY_USER = `${VALID} c.entity_id = $1::uuid order by c.created desc limit 1`

const TOKENS_AT_ONCE = 32

/** The secret of a token by its id, or null. */
export const findToken = gathered(TOKENS_AT_ONCE, async (db, credentials) => {
  const found = await db.rows<ValidSecret>(TOKENS, [credentials, 'token'])
  const byId = new Map(found.map(secret => [secret.credential, secret]))
  return credentials.map(credential => byId.get(credential) ?? null)
})

/** The newest secret of a user for a provider (`password`), or null. */
export async function findSecretOfUser(
  db: Db,
  userId: string,
  provider: string,
): Promise<ValidSecret | null> {
  return find<ValidSecret>(db, BY_USER, [userId, provider])
}

const STORE = `insert into credential_secrets (credential, entity_id, secret) values ($1::uuid, $2::uuid, $3::text)
  on conflict (credential) do update set secret = excluded.secret`

/**
 * Keeps a secret. It counts once the log says that its credential is set, so it is stored before that event is appended; if that
 * never happens it stays without effect.
 */
export async function storeSecret(
  db: Db,
  secret: { credential: string; userId: string; secret: string },
): Promise<void> {
  await db.rows(STORE, [secret.credential, secret.userId, secret.secret])
}

const REPLACE = `update credential_secrets set secret = $3::text where credential = $1::uuid and secret = $2::text`

/** Keeps a secret in another form. Without effect when it has been changed or forgotten since. */
export async function replaceSecret(
  db: Db,
  known: { readonly credential: string; readonly secret: string },
  secret: string,
): Promise<void> {
  await db.rows(REPLACE, [known.credential, known.secret, secret])
}

/** Forgets secrets whose credentials were removed. */
export async function forgetSecrets(db: Db, credentials: readonly string[]): Promise<void> {
  await db.rows('delete from credential_secrets where credential = any($1::uuid[])', [credentials])
}
