import { fitsPattern } from '../content/pattern-reference.ts'

/** Everything that rights follow from. Roles are by user, whatever names the test gives them. */
export interface AccessState {
  readonly grants: readonly {
    readonly role: string
    readonly permission: string
    readonly pattern: string
  }[]
  readonly roles: Readonly<Record<string, readonly string[]>>
}

/**
 * Whether someone has a permission on a path, as simply as it can be said: the reference for tests of access.
 *
 * Some role of theirs is granted it with a pattern that fits the path; there are no denials, no hierarchy of roles,
 * and names are compared whole. Everyone has the role `nobody`, also who is logged in (in rm3 0.x only who was not).
 * The path need not exist.
 *
 * @param user null: not logged in
 */
export function oracle(
  state: AccessState,
  user: string | null,
  permission: string,
  path: string,
): boolean {
  const own = user !== null && Object.hasOwn(state.roles, user) ? state.roles[user] : undefined
  const roles = ['nobody', ...(own ?? [])]
  return state.grants.some(
    grant =>
      roles.includes(grant.role) &&
      grant.permission === permission &&
      fitsPattern(grant.pattern, path),
  )
}
