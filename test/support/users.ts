import type { Viewer } from '../../src/access/viewer.ts'
import { addUser } from '../../src/commands/accounts.ts'
import { change, type Site } from '../../src/commands/change.ts'
import { assignUser, permitRole } from '../../src/commands/rights.ts'
import type { Entity } from '../../src/content/state.ts'
import { readHead } from '../../src/log/read.ts'
import { AS_ROOT } from './database.ts'

/** Makes a user with these roles. */
export async function makeUser(
  site: Site,
  login: string,
  roles: readonly string[] = [],
): Promise<Entity> {
  const { result } = await change(site, AS_ROOT, async change => {
    const user = await addUser(change, { login, fullName: login, email: `${login}@example.org` })
    for (const role of roles) await assignUser(change, user.id, role)
    return user
  })
  return result
}

/** Gives a role rights on the paths of a pattern. */
export async function grant(
  site: Site,
  role: string,
  permissions: readonly string[],
  pattern: string,
): Promise<void> {
  await change(site, AS_ROOT, async change => {
    for (const permission of permissions) await permitRole(change, { role, permission, pattern })
  })
}

/** Whom the user, or null for everyone else, is as of now. */
export async function viewerOf(site: Site, userId: string | null): Promise<Viewer> {
  const { rightsPosition } = await readHead(site.db)
  return site.rights.viewer(site.db, rightsPosition, userId)
}
