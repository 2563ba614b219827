import type { Account } from '../../projections/accounts.ts'
import { type Db, find } from '../pg/db.ts'

/** Users by their entity ids; who is gone is not among them. */
export type People = ReadonlyMap<string, Account>

const PEOPLE = `select entity_id as id, path, name, email, disabled from accounts where entity_id = any($1::uuid[])`
const ENTITY_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The users among some actors. @param actors entity ids, and the fixed actors, which are no users */
export async function listPeople(db: Db, actors: readonly string[]): Promise<People> {
  const ids = actors.filter(actor => ENTITY_ID.test(actor))
  if (ids.length === 0) return new Map()
  const rows = await db.rows<Account>(PEOPLE, [ids])
  return new Map(rows.map(row => [row.id, row]))
}

const MAKER = `select actor from log where stream = $1::uuid and revision = 1`

/** Who made an entity: 'root', 'nobody', 'system' or a user's entity id; null when there is no such entity. */
export async function findMaker(db: Db, entityId: string): Promise<string | null> {
  const row = await find<{ actor: string }>(db, MAKER, [entityId])
  return row?.actor ?? null
}
