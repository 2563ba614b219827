import type { Account } from '../../projections/accounts.ts'
import type { Db } from '../pg/db.ts'

/** Users by their entity ids; who is gone is not among them. */
export type People = ReadonlyMap<string, Account>

/** Who is named on a page, and who made it first. */
export interface PagePeople {
  readonly people: People
  /** 'root', 'nobody', 'system' or an entity id; null when no page was asked for. */
  readonly maker: string | null
}

const PEOPLE = `with first as (select actor from (values ($2::uuid)) as page(id)
    left join log on log.stream = page.id and log.revision = 1)
  select first.actor as maker, a.entity_id as id, a.path, a.name, a.email, a.disabled
  from first left join accounts a on a.entity_id = any($1::uuid[])
    or a.entity_id = case when length(first.actor) = 36 then first.actor::uuid end`

const ENTITY_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The users among some actors, in one statement with who made a page.
 *
 * @param actors entity ids, and the fixed actors, which are no users
 * @param page entity id; null: none
 */
export async function listPeople(
  db: Db,
  actors: Iterable<string>,
  page: string | null = null,
): Promise<PagePeople> {
  const ids = [...new Set(actors)].filter(actor => ENTITY_ID.test(actor))
  if (ids.length === 0 && page === null) return { people: new Map(), maker: null }
  const rows = await db.rows<Account & { id: string | null; maker: string | null }>(PEOPLE, [
    ids,
    page,
  ])
  const known = rows.filter(row => row.id !== null)
  return {
    people: new Map(known.map(row => [row.id, row])),
    maker: rows[0]?.maker ?? null,
  }
}
