import { uuidv7 } from 'uuidv7'
import type { ImportedAppend, ImportedEvent, SiteImport } from '../commands/import.ts'
import { GRANTS_STREAM, type NewEvent, ROOT } from '../content/events.ts'
import { grantOfKey } from '../content/evolve-site.ts'
import type { State } from '../content/state.ts'
import { tell } from './snapshot.ts'

/** A user who may do more than anybody, or log in. */
export interface UserAccess {
  readonly id: string
  readonly path: string
  readonly roles: readonly string[]
  readonly credentials: readonly { readonly credential: string; readonly provider: string }[]
  /** Of the stream. */
  readonly revision: number
}

/** What a log says of who may what, and of who can log in. */
export interface Access {
  /** Their keys (`grantOfKey`). */
  readonly grants: readonly string[]
  /** Of the grants' stream. */
  readonly grantsRevision: number
  /** Also those who are deleted: they may come back. */
  readonly users: readonly UserAccess[]
}

/** Gathers who may what from the states in which streams end. */
export class AccessTally {
  #grants: readonly string[] = []
  #grantsRevision = 0
  readonly #users: UserAccess[] = []

  add(state: State): void {
    if (state.kind === 'grants') {
      this.#grants = Object.keys(state.active)
      this.#grantsRevision = state.revision
    }
    if (state.kind !== 'entity') return
    const { id, path, revision } = state
    const roles = Object.keys(state.roles)
    const credentials = Object.entries(state.credentials).map(([credential, { provider }]) => ({
      ...{ credential, provider },
    }))
    if (roles.length + credentials.length === 0) return
    this.#users.push({ id, path, roles, credentials, revision })
  }

  /** By path. */
  end(): Access {
    const users = this.#users.toSorted((one, other) => (one.path < other.path ? -1 : 1))
    return { grants: this.#grants.toSorted(), grantsRevision: this.#grantsRevision, users }
  }
}

/** The events after which nobody may do more than anybody, and nobody can log in. */
export function revocations({ grants, users }: Access): NewEvent[] {
  return [
    ...grants.map(
      (key): NewEvent => ({ type: 'RoleDenied', stream: GRANTS_STREAM, data: grantOfKey(key) }),
    ),
    ...users.flatMap(({ id, roles, credentials }): NewEvent[] => [
      ...roles.map(role => ({ type: 'RoleDeassigned' as const, stream: id, data: { role } })),
      ...credentials.map(data => ({ type: 'CredentialRemoved' as const, stream: id, data })),
    ]),
  ]
}

/** What such an event says of itself. */
export const REVOKED = {
  actor: ROOT,
  note: 'taken back as it was loaded',
  meta: { door: 'import', withoutAccess: true },
} as const

/** A plan of what is to be loaded behind which access is taken back; its secrets stay out. */
export function planWithoutAccess({ appends }: SiteImport): SiteImport {
  const tally = new AccessTally()
  for (const { state } of tell(appends).values()) if (state !== null) tally.add(state)
  const last = appends.at(-1)
  if (last === undefined) return { appends, secrets: [] }
  const { recordedAt } = last
  const events = revocations(tally.end()).map(
    (event): ImportedEvent => ({ ...event, ...REVOKED, eventId: uuidv7(), at: recordedAt }),
  )
  const more: ImportedAppend[] = events.map(event => ({ recordedAt, events: [event] }))
  return { appends: [...appends, ...more], secrets: [] }
}
