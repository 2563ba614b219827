import type { Json } from '../codec/json.ts'
import type { SiteEvent } from './events.ts'
import { grantKey } from './evolve-site.ts'
import type { Entity, State } from './state.ts'

/** What is so until somebody says otherwise: a right of a role, a role of a user, a setting, a way to log in, a plan to publish. */
export interface Fact {
  readonly kind: 'grant' | 'role' | 'setting' | 'credential' | 'schedule'
  /** `role permission pattern`, the role, the setting's name, the credential's id, or the id of the event that planned it. */
  readonly key: string
  /** What the events say of it; null: it is not so. */
  readonly value: Json | null
}

/** What is so in a state. */
export function factsOf(state: State | null): Fact[] {
  switch (state?.kind) {
    case undefined:
      return []
    case 'grants':
      return Object.keys(state.active).map(key => ({ kind: 'grant', key, value: true }))
    case 'settings':
      return Object.entries(state.values).map(([key, { value }]) => ({
        ...{ kind: 'setting', key },
        value,
      }))
    case 'entity':
      return factsOfEntity(state)
  }
}

function factsOfEntity({ roles, credentials, schedules }: Entity): Fact[] {
  return [
    ...Object.keys(roles).map(key => ({ kind: 'role', key, value: true }) as const),
    ...Object.entries(credentials).map(
      ([key, { provider }]) => ({ kind: 'credential', key, value: { provider } }) as const,
    ),
    ...Object.entries(schedules).map(
      ([key, { revision, at }]) => ({ kind: 'schedule', key, value: { revision, at } }) as const,
    ),
  ]
}

/** Names a fact among those of its stream. */
export function nameOf({ kind, key }: Fact): string {
  return `${kind} ${key}`
}

/** What an event says is so, or is not any more; null when it says nothing of that kind. That a page was deleted ends its plans, see `decide-undo-facts.ts`. */
export function factIn(event: SiteEvent): Fact | null {
  switch (event.type) {
    case 'RolePermitted':
      return { kind: 'grant', key: grantKey(event.data), value: true }
    case 'RoleDenied':
      return { kind: 'grant', key: grantKey(event.data), value: null }
    case 'RoleAssigned':
      return { kind: 'role', key: event.data.role, value: true }
    case 'RoleDeassigned':
      return { kind: 'role', key: event.data.role, value: null }
    case 'SettingChanged':
      return { kind: 'setting', key: event.data.key, value: event.data.value }
    case 'CredentialSet': {
      const { credential: key, provider } = event.data
      return { kind: 'credential', key, value: { provider } }
    }
    case 'CredentialRemoved':
      return { kind: 'credential', key: event.data.credential, value: null }
    case 'PublishScheduled': {
      const { revision, at } = event.data
      return { kind: 'schedule', key: event.eventId, value: { revision, at } }
    }
    case 'ScheduleCancelled':
      return { kind: 'schedule', key: event.data.schedule, value: null }
    case 'PagePublished':
      return event.data.schedule === undefined
        ? null
        : { kind: 'schedule', key: event.data.schedule, value: null }
    default:
      return null
  }
}
