import { Rm3Error } from '../errors.ts'
import type { SiteEvent } from './events.ts'
import { NO_KEYFRAME, nextKeyframe } from './keyframe.ts'
import type { Grants, Settings } from './state.ts'

/** The key of a grant in `Grants.active`. */
export function grantKey(grant: { role: string; permission: string; pattern: string }): string {
  return `${grant.role} ${grant.permission} ${grant.pattern}`
}

/** The grant that has a key: nothing in one has a space. */
export function grantOfKey(key: string): { role: string; permission: string; pattern: string } {
  const [role = '', permission = '', pattern = ''] = key.split(' ')
  return { role, permission, pattern }
}

/** The grants after an event. @throws LOG_DAMAGED */
export function evolveGrants(before: Grants | null, event: SiteEvent): Grants {
  const active = before?.active ?? {}
  const keyframe = nextKeyframe(before?.keyframe ?? NO_KEYFRAME, event, null)
  const next = { kind: 'grants', revision: event.revision, keyframe } as const
  switch (event.type) {
    case 'RolePermitted':
      return { ...next, active: { ...active, [grantKey(event.data)]: event.revision } }
    case 'RoleDenied':
      return { ...next, active: without(active, grantKey(event.data)) }
    default:
      throw damaged(event, 'it does not belong to the grants')
  }
}

/** The settings after an event. @throws LOG_DAMAGED */
export function evolveSettings(before: Settings | null, event: SiteEvent): Settings {
  if (event.type !== 'SettingChanged') throw damaged(event, 'it does not belong to the settings')
  const entry = { value: event.data.value, since: event.revision }
  return {
    kind: 'settings',
    revision: event.revision,
    values: { ...before?.values, [event.data.key]: entry },
    keyframe: nextKeyframe(before?.keyframe ?? NO_KEYFRAME, event, null),
  }
}

/** A record without one of its members. */
export function without<Value>(
  record: Readonly<Record<string, Value>>,
  key: string,
): Record<string, Value> {
  const { [key]: _, ...rest } = record
  return rest
}

/** What is thrown for an event that cannot follow what came before it. */
export function damaged(event: SiteEvent, why: string, cause?: unknown): Rm3Error {
  return new Rm3Error(
    'LOG_DAMAGED',
    `the event ${event.type} at position ${event.position} (revision ${event.revision} of ${event.stream}) cannot be folded: ${why}`,
    { position: event.position, cause },
  )
}
