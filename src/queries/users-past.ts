import { accountIn, listRoles } from '../../projections/accounts.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { readState } from '../commands/states.ts'
import { documentOf } from '../content/document.ts'
import { USERS_PATH } from '../content/path.ts'
import type { Entity } from '../content/state.ts'
import { type Add, pastOf } from './past-filter.ts'

/** A user as of a position. */
export interface PastUser {
  readonly id: string
  readonly path: string
  readonly name: string
  readonly email: string | null
  readonly disabled: boolean
  readonly roles: readonly string[]
}

interface PastRow {
  readonly id: string
  readonly path: string
  readonly name: string
  readonly revision: number
}

const COLUMNS = `p.entity_id as id, p.path, p.title as name, (select h.revision from page_history h where h.entity_id = p.entity_id
  and h.from_position > 0 and h.from_position <= $1::bigint order by h.from_position desc limit 1) as revision`
const USERS = `select ${COLUMNS} from headings p
  where p.parent = $2::text and p.proto = 'user' and p.from_position <= $1::bigint and p.until_position > $1::bigint`

/** Users there were at a position and whose past a viewer may read, by path. @param after only paths behind it; null: all */
export async function listUsersPast(
  site: Site,
  viewer: Viewer,
  position: number,
  { after, limit }: { after: string | null; limit: number },
): Promise<PastUser[]> {
  const values: unknown[] = [position, USERS_PATH, after]
  const add: Add = value => `$${values.push(value)}`
  const where = [USERS, '($3::text is null or p.path > $3::text)', ...pastOf(viewer, 'p', add)]
  const text = `${where.join(' and ')} order by p.path limit ${add(limit)}::int`
  return whole(site, await site.db.rows<PastRow>(text, values), position)
}

/** The user there was at a path at a position; null when there was none, or its past may not be read. */
export async function findUserPast(
  site: Site,
  viewer: Viewer,
  position: number,
  path: string,
): Promise<PastUser | null> {
  const values: unknown[] = [position, USERS_PATH, path]
  const where = [
    USERS,
    'p.path = $3::text',
    ...pastOf(viewer, 'p', value => `$${values.push(value)}`),
  ]
  const [user = null] = await whole(
    site,
    await site.db.rows<PastRow>(where.join(' and '), values),
    position,
  )
  return user
}

async function whole(
  { db }: Site,
  rows: readonly PastRow[],
  position: number,
): Promise<PastUser[]> {
  const users: PastUser[] = []
  for (const { revision, ...row } of rows) {
    const [state, roles] = await Promise.all([
      readState(db, row.id, revision),
      listRoles(db, row.id, position),
    ])
    if (state === null) continue
    users.push({ ...row, ...accountIn(documentOf((state as Entity).tip).data), roles })
  }
  return users
}
