import { listRoles } from '../../projections/accounts.ts'
import { type Grant, listGrants } from '../../projections/grants.ts'
import { NOBODY_ROLE, viewerWith } from '../access/viewer.ts'
import { getAccount } from '../commands/accounts.ts'
import type { Site } from '../commands/change.ts'
import { demandSiteGrant } from '../commands/rights.ts'
import { checkName } from '../content/decide-rights.ts'
import { NOBODY } from '../content/events.ts'
import { compilePattern } from '../content/pattern.ts'
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

/**
 * Why a user may do something on a path, or may not: now, or as rights were at a position. Nothing needs to be at the path.
 *
 * @param asked `user`: login name, or 'nobody' for who is not logged in; `position` null: now
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
  const userId = user === NOBODY ? null : (await getAccount(site.db, user)).id
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
