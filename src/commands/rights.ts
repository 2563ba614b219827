import { denied, type Viewer } from '../access/viewer.ts'
import { checkJson, type Json } from '../codec/json.ts'
import { assignRole, changeSetting, deassignRole, deny, permit } from '../content/decide-rights.ts'
import type { GrantChange } from '../content/events.ts'
import { SITE_PATH } from '../content/path.ts'
import { canonicalPattern } from '../content/pattern.ts'
import type { Entity } from '../content/state.ts'
import { demandUser, findUser } from './accounts.ts'
import type { Change } from './change.ts'
import { checkSetting } from './site-settings.ts'

/** Gives a role a right on the paths of a pattern. @throws PATTERN_INVALID, ROLE_INVALID, PERMISSION_DENIED */
export async function permitRole(change: Change, grant: GrantChange): Promise<void> {
  demandGrant(change)
  change.record(permit(await change.grants(), canonical(grant)))
}

/** Takes a right from a role. Without effect when it is not granted. @throws PATTERN_INVALID, PERMISSION_DENIED */
export async function denyRole(change: Change, grant: GrantChange): Promise<void> {
  demandGrant(change)
  change.record(deny(await change.grants(), canonical(grant)))
}

/** Gives a user a role. @throws ROLE_INVALID, USER_NOT_FOUND, PERMISSION_DENIED */
export async function assignUser(change: Change, userId: string, role: string): Promise<void> {
  const user = await userToGrant(change, userId)
  change.record(assignRole(user, role))
}

/** Takes a role from a user. @throws USER_NOT_FOUND, PERMISSION_DENIED */
export async function deassignUser(change: Change, userId: string, role: string): Promise<void> {
  const user = await userToGrant(change, userId)
  change.record(deassignRole(user, role))
}

/** Changes a setting of the site; null takes it away. @throws REQUEST_INVALID, JSON_INVALID, PERMISSION_DENIED */
export async function setSetting(change: Change, key: string, value: Json): Promise<void> {
  demandGrant(change)
  await checkSetting(change.site.db, key, value)
  change.record(changeSetting(await change.settings(), key, checkJson(value, 'the setting')))
}

function canonical(grant: GrantChange): GrantChange {
  const { role, permission, pattern } = grant
  return { role, permission, pattern: canonicalPattern(pattern) }
}

function demandGrant({ viewer }: Change): void {
  demandSiteGrant(viewer)
}

/** Rights and settings of the site are for those who may change them, also to look at. @throws LOGIN_REQUIRED, PERMISSION_DENIED */
export function demandSiteGrant(viewer: Viewer): void {
  if (!viewer.may('grant', SITE_PATH)) throw denied(viewer, 'grant', SITE_PATH)
}

async function userToGrant(change: Change, userId: string): Promise<Entity> {
  const user = await findUser(change, userId)
  return demandUser(change.viewer, user, { userId, permission: 'grant' })
}
