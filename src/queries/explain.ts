import { listRoles } from '../../projections/accounts.ts'
import { type Grant, listGrants } from '../../projections/grants.ts'
import { NOBODY_ROLE, viewerWith } from '../access/viewer.ts'
import { getAccount } from '../commands/accounts.ts'
import type { Site } from '../commands/change.ts'
import { demandSiteGrant } from '../commands/rights.ts'
import { checkName } from '../content/decide-rights.ts'
import { NOBODY } from '../content/events.ts'
import { USERS_PATH } from '../content/path.ts'
import { compilePattern } from '../content/pattern.ts'
import { type Db, find } from '../pg/db.ts'
import { FOREVER } from '../projector/define.ts'
import { type Reader, viewerOf } from './reader.ts'

/** Whether somebody may do something on a path, and why. */
export interface Explanation {
  readonly user: string
  readonly permission: string
  readonly path: string
  readonly allowed: boolean
  /** Roles that count: the user's, and that of everyone. */
  readonly roles: readonly string[]
  /** The grants of these roles that say yes; [] when nothing does. */
  readonly because: readonly Grant[]
  /** Grants that say yes to roles which the user has not. */
  readonly missing: readonly Grant[]
}

const WAS_USER = `select entity_id as id from headings where path = $1::text and proto = 'user'
  and from_position <= $2::bigint and until_position > $2::bigint`

/**
 * The entity id of who had a login name at a position, else of who has it now; null for 'nobody'.
 *
 * @param position null: now
 * @throws USER_NOT_FOUND when there is none at either time
 */
export async function userIdAt(
  db: Db,
  login: string,
  position: number | null,
): Promise<string | null> {
  if (login === NOBODY) return null
  const path = `${USERS_PATH}.${login.toLowerCase()}`
  const was = position === null ? null : await find<{ id: string }>(db, WAS_USER, [path, position])
  return was?.id ?? (await getAccount(db, login)).id
}

/**
 * Why a user may do something on a path, or may not: now, or as rights were at a position. Nothing needs to be at the path.
 *
 * @param asked `user`: login name, of then, or 'nobody' for who is not logged in; `position` null: now
 * @throws LOGIN_REQUIRED or PERMISSION_DENIED without `grant` on the site, USER_NOT_FOUND, ROLE_INVALID
 */
export async function explainRight(
  site: Site,
  reader: Reader,
  asked: { user: string; permission: string; path: string; position: number | null },
): Promise<Explanation> {
  demandSiteGrant(await viewerOf(site, reader))
  const { user, permission, path } = asked
  checkName('permission', permission)
  const position = asked.position ?? FOREVER - 1
  const userId = await userIdAt(site.db, user, asked.position)
  const held = userId === null ? [] : await listRoles(site.db, userId, position)
  const grants = await listGrants(site.db, position)
  const roles = [NOBODY_ROLE, ...held]
  const fitting = grants.filter(
    grant => grant.permission === permission && compilePattern(grant.pattern).matches(path),
  )
  return {
    ...{ user, permission, path },
    allowed: viewerWith(grants, held, userId).may(permission, path),
    roles,
    because: fitting.filter(({ role }) => roles.includes(role)),
    missing: fitting.filter(({ role }) => !roles.includes(role)),
  }
}
