import type { Db } from '../pg/db.ts'
import type { Secret } from './restore.ts'

const SECRETS = `select s.credential, s.entity_id as "userId", s.secret, date_trunc('milliseconds', s.created) as created
  from credential_secrets s join credentials c on c.credential = s.credential
  where c.from_position <= $1::bigint and c.until_position > $1::bigint
  order by s.credential`

/** The secrets of credentials that were in force at a position and have not been forgotten since, by their ids. */
export async function readSecrets(db: Db, position: number): Promise<Secret[]> {
  return db.rows<Secret>(SECRETS, [position])
}
