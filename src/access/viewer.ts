import { NOBODY, ROOT, SYSTEM } from '../content/events.ts'
import { compilePattern, type Pattern } from '../content/pattern.ts'
import { Rm3Error } from '../errors.ts'

/** Whom a request speaks for, and the one function that decides what they may. */
export interface Viewer {
  /** The user's entity id, or 'nobody', 'root' or 'system'. */
  readonly actor: string
  /** The user's entity id; null for the others. */
  readonly userId: string | null
  readonly roles: readonly string[]
  /** Whether a token leaves less than the user may: then not even the user's own credentials can be changed with it. */
  readonly isLimited: boolean
  /** Whether the right is granted on the path, which need not exist. Nothing else in rm3 decides that. */
  may(permission: string, path: string): boolean
  /**
   * What `may` says of any path, for lists that are filtered in SQL: `path ~ regex`. null: on every path.
   */
  pathsWith(permission: string): string | null
}

/** The role that everyone has, logged in or not. */
export const NOBODY_ROLE = 'nobody'

export interface GrantRow {
  readonly role: string
  readonly permission: string
  readonly pattern: string
}

const EVERY_PATH = '*'
const NO_PATH_REGEX = '^$'

/** A viewer with the rights that `grants` give to `roles` and to everyone. */
export function viewerWith(
  grants: readonly GrantRow[],
  roles: readonly string[],
  userId: string | null,
): Viewer {
  const held = new Set([NOBODY_ROLE, ...roles])
  const patterns = new Map<string, Pattern[]>()
  for (const { role, permission, pattern } of grants) {
    if (!held.has(role)) continue
    const known = patterns.get(permission)
    if (known) known.push(compiled(pattern))
    else patterns.set(permission, [compiled(pattern)])
  }
  return {
    actor: userId ?? NOBODY,
    userId,
    roles: [...roles],
    isLimited: false,
    may: (permission, path) =>
      patterns.get(permission)?.some(pattern => pattern.matches(path)) ?? false,
    pathsWith: permission => regexOf(patterns.get(permission) ?? []),
  }
}

function regexOf(patterns: readonly Pattern[]): string | null {
  if (patterns.some(pattern => pattern.text === EVERY_PATH)) return null
  if (patterns.length === 0) return NO_PATH_REGEX
  return patterns.map(pattern => `(?:${pattern.regex})`).join('|')
}

function allowed(actor: string): Viewer {
  return {
    actor,
    userId: null,
    roles: [],
    isLimited: false,
    may: () => true,
    pathsWith: () => null,
  }
}

/** The operator at the command line, who may everything. */
export const ROOT_VIEWER: Viewer = allowed(ROOT)
/** rm3 itself: workers and imports. */
export const SYSTEM_VIEWER: Viewer = allowed(SYSTEM)

/** @throws PAGE_NOT_FOUND when the viewer may not even see the path, else LOGIN_REQUIRED or PERMISSION_DENIED */
export function demand(viewer: Viewer, permission: string, path: string): void {
  if (viewer.may(permission, path)) return
  if (!viewer.may('view', path)) throw absent(path)
  throw denied(viewer, permission, path)
}

/** What is thrown where a right is missing on a path whose existence is no secret. */
export function denied(viewer: Viewer, permission: string, path: string): Rm3Error {
  if (viewer.actor === NOBODY) {
    return new Rm3Error('LOGIN_REQUIRED', `log in: "${permission}" on ${path} is needed`, {
      permission,
      path,
    })
  }
  return new Rm3Error('PERMISSION_DENIED', `"${permission}" on ${path} is needed`, {
    permission,
    path,
  })
}

/** What is thrown where there is nothing, or nothing that the viewer may see: the two look the same. */
export function absent(path: string): Rm3Error {
  return new Rm3Error('PAGE_NOT_FOUND', `there is no page at ${path}`, { path })
}

const COMPILED_MAX = 5_000
const cache = new Map<string, Pattern>()

function compiled(text: string): Pattern {
  const known = cache.get(text)
  if (known) return known
  if (cache.size >= COMPILED_MAX) cache.clear()
  const pattern = compilePattern(text)
  cache.set(text, pattern)
  return pattern
}
