import { findAccount } from '../../projections/accounts.ts'
import { leafLabel } from '../content/path.ts'
import type { Db } from '../pg/db.ts'

const USER_ID = /^[0-9a-f]{8}-/

/** Login names of actors who are users; those of others and of users who are gone are left out. */
export async function namesOf(db: Db, actors: readonly string[]): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  for (const actor of new Set(actors)) {
    const account = USER_ID.test(actor) ? await findAccount(db, actor) : null
    if (account !== null) names.set(actor, leafLabel(account.path))
  }
  return names
}
