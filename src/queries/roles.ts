import { countMembers, listMembers } from '../../projections/accounts.ts'
import { listGrants } from '../../projections/grants.ts'
import type { Site } from '../commands/change.ts'
import { demandSiteGrant } from '../commands/rights.ts'
import { checkName } from '../content/decide-rights.ts'
import { leafLabel } from '../content/path.ts'
import { type Reader, viewerOf } from './reader.ts'

/** A role is what grants and users say: it comes to be with the first of them and ends with the last. */
export interface RoleEntry {
  readonly role: string
  /** How many grants it has, and how many users whom the reader may view have it. */
  readonly grants: number
  readonly members: number
}

/** All roles that have a grant or a member now, by name: for those with `grant` on the site. @throws LOGIN_REQUIRED, PERMISSION_DENIED */
export async function listRoleEntries(site: Site, reader: Reader): Promise<RoleEntry[]> {
  const viewer = await viewerOf(site, reader)
  demandSiteGrant(viewer)
  const entries = new Map<string, { role: string; grants: number; members: number }>()
  const entryOf = (role: string) => {
    const entry = entries.get(role) ?? { role, grants: 0, members: 0 }
    entries.set(role, entry)
    return entry
  }
  for (const { role } of await listGrants(site.db)) entryOf(role).grants++
  for (const { role, members } of await countMembers(site.db, viewer.pathsWith('view'))) {
    entryOf(role).members = members
  }
  return [...entries.values()].sort((a, b) => (a.role < b.role ? -1 : 1))
}

/** What a role may do, and who has it. */
export interface RoleAnswer {
  readonly role: string
  readonly grants: readonly { readonly permission: string; readonly pattern: string }[]
  readonly members: readonly RoleMember[]
}

export interface RoleMember {
  /** Login name. */
  readonly user: string
  readonly id: string
  readonly path: string
  readonly name: string
}

/**
 * One role, with those of its members whom the reader may view; nothing in it when no grant and no user names it.
 *
 * @throws LOGIN_REQUIRED, PERMISSION_DENIED, ROLE_INVALID
 */
export async function readRole(site: Site, reader: Reader, role: string): Promise<RoleAnswer> {
  const viewer = await viewerOf(site, reader)
  demandSiteGrant(viewer)
  checkName('role', role)
  const grants = await listGrants(site.db)
  const members = await listMembers(site.db, role)
  return {
    role,
    grants: grants
      .filter(grant => grant.role === role)
      .map(({ permission, pattern }) => ({ permission, pattern })),
    members: members
      .filter(({ path }) => viewer.may('view', path))
      .map(({ id, path, name }) => ({ user: leafLabel(path), id, path, name })),
  }
}
