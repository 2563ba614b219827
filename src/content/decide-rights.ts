import type { Json } from '../codec/json.ts'
import { Rm3Error } from '../errors.ts'
import {
  type CredentialChange,
  GRANTS_STREAM,
  type GrantChange,
  type NewEvent,
  SETTINGS_STREAM,
} from './events.ts'
import { grantKey } from './evolve-site.ts'
import type { Entity, Grants, Settings } from './state.ts'

const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/i

/** @throws ROLE_INVALID unless it is a name: letters, digits, `_`, `.` and `-`, 64 at most */
export function checkName(kind: 'role' | 'permission', name: string): void {
  if (NAME.test(name)) return
  throw new Rm3Error(
    'ROLE_INVALID',
    `"${name.slice(0, 80)}" is not a name of a ${kind}: use letters, digits, _, . and -, at most 64`,
    { [kind]: name.slice(0, 80) },
  )
}

/** A right for a role on the paths of a pattern; [] when it is granted already. The pattern must compile (see `pattern.ts`). */
export function permit(grants: Grants | null, grant: GrantChange): NewEvent[] {
  checkName('role', grant.role)
  checkName('permission', grant.permission)
  if (grants !== null && Object.hasOwn(grants.active, grantKey(grant))) return []
  return [{ type: 'RolePermitted', stream: GRANTS_STREAM, data: grant }]
}

/** Takes a grant away; [] when there is none such. */
export function deny(grants: Grants | null, grant: GrantChange): NewEvent[] {
  if (grants === null || !Object.hasOwn(grants.active, grantKey(grant))) return []
  return [{ type: 'RoleDenied', stream: GRANTS_STREAM, data: grant }]
}

/** Gives a user a role; [] when he has it. */
export function assignRole(user: Entity, role: string): NewEvent[] {
  checkName('role', role)
  if (Object.hasOwn(user.roles, role)) return []
  return [{ type: 'RoleAssigned', stream: user.id, data: { role } }]
}

/** Takes a role from a user; [] when he has it not. */
export function deassignRole(user: Entity, role: string): NewEvent[] {
  if (!Object.hasOwn(user.roles, role)) return []
  return [{ type: 'RoleDeassigned', stream: user.id, data: { role } }]
}

/** Records that a user has a credential. Of passwords there is one: the others are removed. */
export function setCredential(user: Entity, change: CredentialChange): NewEvent[] {
  const replaced = Object.entries(user.credentials).filter(
    ([, credential]) => change.provider === 'password' && credential.provider === 'password',
  )
  return [
    ...replaced.flatMap(([credential]) => removeCredential(user, credential)),
    { type: 'CredentialSet', stream: user.id, data: change },
  ]
}

/** Takes a credential away; [] when there is none such. */
export function removeCredential(user: Entity, credential: string): NewEvent[] {
  const known = Object.hasOwn(user.credentials, credential)
    ? user.credentials[credential]
    : undefined
  if (known === undefined) return []
  const data = { credential, provider: known.provider }
  return [{ type: 'CredentialRemoved', stream: user.id, data }]
}

const KEY = /^[a-z][a-z0-9]*(\.[a-z][a-z0-9]*)*$/i
const KEY_CHARS_MAX = 100

/**
 * Changes a setting of the site; [] when it has that value. To have none is to be null.
 *
 * @throws REQUEST_INVALID for a key that is none
 */
export function changeSetting(settings: Settings | null, key: string, value: Json): NewEvent[] {
  if (!KEY.test(key) || key.length > KEY_CHARS_MAX) {
    throw new Rm3Error(
      'REQUEST_INVALID',
      `"${key.slice(0, 80)}" is not a setting's name: use words joined by dots`,
      {
        key: key.slice(0, 80),
      },
    )
  }
  const known =
    settings !== null && Object.hasOwn(settings.values, key) ? settings.values[key] : undefined
  if (JSON.stringify(known?.value ?? null) === JSON.stringify(value)) return []
  return [{ type: 'SettingChanged', stream: SETTINGS_STREAM, data: { key, value } }]
}
