import { listMembers } from '../../projections/accounts.ts'
import { type Grant, listGrants } from '../../projections/grants.ts'
import { listSettings } from '../../projections/settings.ts'
import { denied, type Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { SITE_PATH } from '../commands/rights.ts'
import type { Json } from '../content/document.ts'
import { USERS_PATH } from '../content/path.ts'
import { find } from '../pg/db.ts'
import { FOREVER } from '../projector/define.ts'
import { makeCursor, readCursor } from './cursor.ts'
import { type Reader, viewerOf } from './reader.ts'

/** A user as lists show one. */
export interface UserEntry {
  readonly id: string
  readonly login: string
  readonly path: string
  readonly name: string
  /** Only for those with `user.edit` on the path, and oneself. */
  readonly email: string | null
  readonly disabled: boolean
  readonly roles: readonly string[]
}

export const USERS_MAX = 200

const COLUMNS = `a.entity_id as id, a.path, a.name, a.email, a.disabled,
  array(select m.role from role_members m where m.entity_id = a.entity_id and m.until_position = ${FOREVER} order by m.role) as roles`
const USERS = `select ${COLUMNS} from accounts a
  where ($1::text is null or a.path ~ $1::text) and ($2::text is null or a.path > $2::text)
  order by a.path limit $3::int`
const USER = `select ${COLUMNS} from accounts a where a.path = $1::text`

type UserRow = Omit<UserEntry, 'login'>

/** Users whose pages a reader may view, by path. @throws CURSOR_INVALID */
export async function listUsers(
  site: Site,
  reader: Reader,
  part: { limit: number; after: string | null },
): Promise<{ items: UserEntry[]; next: string | null }> {
  const viewer = await viewerOf(site, reader)
  const { limit, after } = part
  const from = after === null ? null : readCursor({ list: 'users' }, after, ['string'])[0]
  const rows = await site.db.rows<UserRow>(USERS, [
    viewer.pathsWith('view'),
    from ?? null,
    limit + 1,
  ])
  const items = rows.slice(0, limit).map(row => entryOf(viewer, row))
  const last = items.at(-1)
  const more = rows.length > limit && last !== undefined
  return { items, next: more ? makeCursor({ list: 'users' }, [last.path]) : null }
}

/** One user, by path; null when there is none or it may not be viewed. */
export async function findUserEntry(
  site: Site,
  reader: Reader,
  path: string,
): Promise<UserEntry | null> {
  const viewer = await viewerOf(site, reader)
  const row = viewer.may('view', path) ? await find<UserRow>(site.db, USER, [path]) : null
  return row === null ? null : entryOf(viewer, row)
}

function entryOf(viewer: Viewer, row: UserRow): UserEntry {
  const own = viewer.userId === row.id || viewer.may('user.edit', row.path)
  const login = row.path.slice(USERS_PATH.length + 1)
  return { ...row, login, email: own ? row.email : null }
}

/** All grants, for those with `grant` on the root. @throws LOGIN_REQUIRED, PERMISSION_DENIED */
export async function readGrants(site: Site, reader: Reader): Promise<Grant[]> {
  await demandGrant(site, reader)
  return listGrants(site.db)
}

/** All settings, for those with `grant` on the root. @throws LOGIN_REQUIRED, PERMISSION_DENIED */
export async function readSettings(
  site: Site,
  reader: Reader,
): Promise<{ key: string; value: Json }[]> {
  await demandGrant(site, reader)
  return listSettings(site.db)
}

/** A role with how many users have it and how many rights it gives. */
export interface RoleEntry {
  readonly role: string
  readonly members: number
  readonly grants: number
}

const ROLES = `select role, sum(members)::int as members, sum(grants)::int as grants from (
    select role, 1 as members, 0 as grants from role_members where until_position = ${FOREVER}
    union all select role, 0, 1 from grants where until_position = ${FOREVER}) r
  group by role order by role`

/** All roles that anyone has or that have a grant, for those with `grant` on the root. @throws LOGIN_REQUIRED, PERMISSION_DENIED */
export async function readRoles(site: Site, reader: Reader): Promise<RoleEntry[]> {
  await demandGrant(site, reader)
  return site.db.rows<RoleEntry>(ROLES)
}

/** Users who have a role, for those with `grant` on the root. @throws LOGIN_REQUIRED, PERMISSION_DENIED */
export async function readMembers(
  site: Site,
  reader: Reader,
  role: string,
): Promise<{ id: string; path: string; name: string }[]> {
  await demandGrant(site, reader)
  return listMembers(site.db, role)
}

async function demandGrant(site: Site, reader: Reader): Promise<void> {
  const viewer = await viewerOf(site, reader)
  if (!viewer.may('grant', SITE_PATH)) throw denied(viewer, 'grant', SITE_PATH)
}
