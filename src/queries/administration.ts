import {
  type Account,
  type CredentialRow,
  listCredentials,
  listMembers,
} from '../../projections/accounts.ts'
import { type Grant, listGrants } from '../../projections/grants.ts'
import { listSettings } from '../../projections/settings.ts'
import type { Viewer } from '../access/viewer.ts'
import { getAccount } from '../commands/accounts.ts'
import type { Site } from '../commands/change.ts'
import { demandSiteGrant } from '../commands/rights.ts'
import type { Json } from '../content/document.ts'
import { USERS_PATH } from '../content/path.ts'
import { Rm3Error } from '../errors.ts'
import { find } from '../pg/db.ts'
import { FOREVER } from '../projector/define.ts'
import { makeCursor, readCursor } from './cursor.ts'
import { type Reader, viewerOf } from './reader.ts'
import { findUserPast, listUsersPast } from './users-past.ts'

/** A user as lists show one. */
export interface UserEntry {
  readonly id: string
  readonly login: string
  readonly path: string
  readonly name: string
  /** These three only for those with `user.edit` on the path, and oneself; null for others. Roles also for those with `grant`. */
  readonly email: string | null
  readonly disabled: boolean | null
  readonly roles: readonly string[] | null
}

export const USERS_MAX = 200

const COLUMNS = `a.entity_id as id, a.path, a.name, a.email, a.disabled,
  array(select m.role from role_members m where m.entity_id = a.entity_id and m.until_position = ${FOREVER} order by m.role) as roles`
const USERS = `select ${COLUMNS} from accounts a
  where ($1::text is null or a.path ~ $1::text) and ($2::text is null or a.path > $2::text)
  order by a.path limit $3::int`
const USER = `select ${COLUMNS} from accounts a where a.path = $1::text`

interface UserRow {
  readonly id: string
  readonly path: string
  readonly name: string
  readonly email: string | null
  readonly disabled: boolean
  readonly roles: readonly string[]
}

/**
 * Users whose pages a reader may view, by path; as of a position those there were, whose past the reader may read.
 *
 * @param part `position` null: now
 * @throws CURSOR_INVALID
 */
export async function listUsers(
  site: Site,
  reader: Reader,
  part: { limit: number; after: string | null; position: number | null },
): Promise<{ items: UserEntry[]; next: string | null }> {
  const viewer = await viewerOf(site, reader)
  const { limit, position } = part
  const list = { list: 'users', position }
  const after = part.after === null ? null : String(readCursor(list, part.after, ['string'])[0])
  const rows =
    position === null
      ? await site.db.rows<UserRow>(USERS, [viewer.pathsWith('view'), after, limit + 1])
      : await listUsersPast(site, viewer, position, { after, limit: limit + 1 })
  const items = rows.slice(0, limit).map(row => entryOf(viewer, row))
  const last = items.at(-1)
  const more = rows.length > limit && last !== undefined
  return { items, next: more ? makeCursor(list, [last.path]) : null }
}

/** A user with what logs in as him, without any secret: only for those with `user.edit` on the path, and oneself; null for others. */
export interface UserAnswer extends UserEntry {
  readonly credentials:
    | readonly (Omit<CredentialRow, 'credential'> & { readonly id: string })[]
    | null
}

/**
 * One user whom the reader may view, or is; as of a position one whose past the reader may read.
 *
 * @param position null: now
 * @throws USER_NOT_FOUND for all others
 */
export async function getUser(
  site: Site,
  reader: Reader,
  login: string,
  position: number | null,
): Promise<UserAnswer> {
  const viewer = await viewerOf(site, reader)
  const row =
    position === null
      ? await find<UserRow>(site.db, USER, [
          (await getVisibleAccount(site, viewer, login)).account.path,
        ])
      : await findUserPast(site, viewer, position, `${USERS_PATH}.${login.toLowerCase()}`)
  if (row === null) throw noUser(login)
  if (!isOwnOrEdited(viewer, row)) return { ...entryOf(viewer, row), credentials: null }
  const credentials = await listCredentials(site.db, row.id, position ?? NOW)
  return {
    ...entryOf(viewer, row),
    credentials: credentials.map(({ credential, ...rest }) => ({ id: credential, ...rest })),
  }
}

/** The account of a user whom the reader may view, or is. @throws USER_NOT_FOUND for all others */
export async function getVisibleAccount(
  site: Site,
  reader: Reader,
  login: string,
): Promise<{ viewer: Viewer; account: Account }> {
  const viewer = await viewerOf(site, reader)
  const account = await getAccount(site.db, login)
  if (viewer.userId === account.id || viewer.may('view', account.path)) return { viewer, account }
  throw noUser(login)
}

/** As `getAccount` says it. */
function noUser(login: string): Rm3Error {
  return new Rm3Error('USER_NOT_FOUND', `there is no user "${login}"`, { user: login })
}

function entryOf(viewer: Viewer, row: UserRow): UserEntry {
  const { id, path, name, email, disabled, roles } = row
  const entry = { id, login: path.slice(USERS_PATH.length + 1), path, name }
  if (isOwnOrEdited(viewer, row)) return { ...entry, email, disabled, roles }
  return { ...entry, email: null, disabled: null, roles: viewer.may('grant', path) ? roles : null }
}

function isOwnOrEdited(viewer: Viewer, { id, path }: UserRow): boolean {
  return viewer.userId === id || viewer.may('user.edit', path)
}

const NOW = FOREVER - 1

/**
 * Grants by role, permission and pattern, for those with `grant` on the root today.
 *
 * @param role null: of all roles
 * @param position as of which; null: now
 * @throws LOGIN_REQUIRED, PERMISSION_DENIED
 */
export async function readGrants(
  site: Site,
  reader: Reader,
  role: string | null = null,
  position: number | null = null,
): Promise<Grant[]> {
  await demandGrant(site, reader)
  const grants = await listGrants(site.db, position ?? NOW)
  return role === null ? grants : grants.filter(grant => grant.role === role)
}

/** All settings, for those with `grant` on the root. @param position as of which; null: now @throws LOGIN_REQUIRED, PERMISSION_DENIED */
export async function readSettings(
  site: Site,
  reader: Reader,
  position: number | null = null,
): Promise<{ key: string; value: Json }[]> {
  await demandGrant(site, reader)
  return listSettings(site.db, position ?? NOW)
}

/** A role with how many users have it and how many rights it gives. */
export interface RoleEntry {
  readonly role: string
  readonly members: number
  readonly grants: number
}

const ROLES = `select role, sum(members)::int as members, sum(grants)::int as grants from (
    select role, 1 as members, 0 as grants from role_members where from_position <= $1::bigint and until_position > $1::bigint
    union all select role, 0, 1 from grants where from_position <= $1::bigint and until_position > $1::bigint) r
  group by role order by role`

/**
 * All roles that anyone has or that have a grant, for those with `grant` on the root today.
 *
 * @param position as of which; null: now
 * @throws LOGIN_REQUIRED, PERMISSION_DENIED
 */
export async function readRoles(
  site: Site,
  reader: Reader,
  position: number | null,
): Promise<RoleEntry[]> {
  await demandGrant(site, reader)
  return site.db.rows<RoleEntry>(ROLES, [position ?? NOW])
}

/** A user who has a role. */
export interface Member {
  readonly id: string
  readonly path: string
  readonly name: string
}

/**
 * Users who have a role, for those with `grant` on the root today.
 *
 * @param position as of which; null: now
 * @throws LOGIN_REQUIRED, PERMISSION_DENIED
 */
export async function readMembers(
  site: Site,
  reader: Reader,
  role: string,
  position: number | null,
): Promise<Member[]> {
  await demandGrant(site, reader)
  return membersAt(site, role, position)
}

const MEMBERS_THEN = `select m.entity_id as id, p.path, p.title as name from role_members m
  join headings p on p.entity_id = m.entity_id and p.from_position <= $2::bigint and p.until_position > $2::bigint
  where m.role = $1::text and m.from_position <= $2::bigint and m.until_position > $2::bigint
    and p.proto = 'user' and p.parent = '${USERS_PATH}' order by p.path`

function membersAt({ db }: Site, role: string, position: number | null): Promise<Member[]> {
  return position === null ? listMembers(db, role) : db.rows<Member>(MEMBERS_THEN, [role, position])
}

/**
 * What a role may do and who has it, for those with `grant` on the root: nothing for a role that no grant and no user names.
 *
 * @param position as of which; null: now
 */
export async function readRole(
  site: Site,
  reader: Reader,
  role: string,
  position: number | null,
): Promise<{
  role: string
  grants: { permission: string; pattern: string }[]
  members: Member[]
}> {
  const grants = await readGrants(site, reader, role, position)
  const members = await membersAt(site, role, position)
  return {
    role,
    grants: grants.map(({ permission, pattern }) => ({ permission, pattern })),
    members,
  }
}

async function demandGrant(site: Site, reader: Reader): Promise<void> {
  demandSiteGrant(await viewerOf(site, reader))
}
