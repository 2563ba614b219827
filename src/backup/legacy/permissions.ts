import { itemsAt, objectAt, textAt } from './fields.ts'
import { refuse, type Spot, spotIn, warn } from './findings.ts'
import type { LegacyRecord } from './record.ts'

/** A permission that a role had when the backup was made. `oldPermission`: what rm3 0.2 and before called it. */
export interface Grant {
  readonly spot: Spot
  readonly role: string
  readonly permission: string
  readonly pattern: string
  readonly oldPermission: string | null
}

/** A role that a user had when the backup was made. `stream`: the user's entity. */
export interface Assignment {
  readonly spot: Spot
  readonly role: string
  readonly path: string
  readonly stream: string
}

/** What `permissions.json` says. */
export interface Permissions {
  readonly grants: readonly Grant[]
  readonly assignments: readonly Assignment[]
}

const NAME = /^[^\p{C}]{1,128}$/u
const PATTERN_CHARS_MAX = 2000
const ITEMS_MAX = 100_000
/** Names before 0.3, by what 0.3 and later ask for in their place. */
const RENAMED = new Map([
  ['edit', 'post.edit'],
  ['delete', 'post.delete'],
  ['comment', 'comment.create'],
])

/** Reads the content of `permissions.json`. */
export function readPermissions(
  spot: Spot,
  version: string,
  records: readonly LegacyRecord[],
): Permissions {
  const grants: Grant[] = []
  const assignments: Assignment[] = []
  const users = usersByLeaf(records)
  const items = itemsAt(spot)
  if (items.length > ITEMS_MAX) refuse(spot, 'too-many-items', `more than ${ITEMS_MAX} items`)
  for (const item of items.slice(0, ITEMS_MAX)) {
    objectAt(item)
    const type = textAt(spotIn(item, 'type'))
    if (type === 'permit') grants.push(readGrant(item, version))
    else if (type === 'assign') assignments.push(...readAssignment(item, users))
    else if (type) refuse(spotIn(item, 'type'), 'unknown-type', 'neither permit nor assign')
  }
  return { grants: withoutRepeats(grants), assignments }
}

/** A role or permission at `spot`; '' when it is refused. */
export function nameAt(spot: Spot): string {
  const name = textAt(spot)
  if (name === '' || NAME.test(name)) return name
  refuse(spot, 'name', 'this is not the name of a role or permission')
  return ''
}

/** A path pattern at `spot`; what it means is for others to say. */
export function patternAt(spot: Spot): string {
  const pattern = textAt(spot)
  if (pattern.length <= PATTERN_CHARS_MAX && /^[\x20-\x7e]*$/.test(pattern)) return pattern
  refuse(spot, 'pattern', 'this is not a path pattern')
  return ''
}

/** `permission` as 0.3 and later call it, when `version` is older. */
export function renamedPermission(permission: string, version: string): string {
  return /^0\.[0-2]\./.test(version) ? (RENAMED.get(permission) ?? permission) : permission
}

function readGrant(item: Spot, version: string): Grant {
  const stated = nameAt(spotIn(item, 'permission'))
  const permission = renamedPermission(stated, version)
  const renamed = permission !== stated
  if (renamed)
    warn(spotIn(item, 'permission'), 'renamed', `${stated} is ${permission} since rm3 0.3`)
  const role = nameAt(spotIn(item, 'role'))
  const pattern = patternAt(spotIn(item, 'path'))
  return { spot: item, role, permission, pattern, oldPermission: renamed ? stated : null }
}

function readAssignment(item: Spot, users: ReadonlyMap<string, LegacyRecord>): Assignment[] {
  const role = nameAt(spotIn(item, 'role'))
  const user = textAt(spotIn(item, 'user'))
  const record = users.get(user)
  if (record !== undefined)
    return [{ spot: item, role, path: record.path, stream: record.entityId }]
  warn(spotIn(item, 'user'), 'user-unknown', `${user.slice(0, 80)} has ${role}, but is not here`)
  return []
}

/** Users are named by their last label alone, and live below `<root>.users`; the page nearest to the root is meant. */
function usersByLeaf(records: readonly LegacyRecord[]): Map<string, LegacyRecord> {
  const users = new Map<string, LegacyRecord>()
  for (const record of records) {
    const labels = record.path.split('.')
    const leaf = labels.at(-1) ?? ''
    if (record.content === null || labels.at(-2) !== 'users') continue
    const known = users.get(leaf)
    if (known === undefined || labels.length < known.path.split('.').length) users.set(leaf, record)
  }
  return users
}

function withoutRepeats(grants: readonly Grant[]): Grant[] {
  const seen = new Set<string>()
  return grants.filter(({ role, permission, pattern }) => {
    const key = `${role} ${permission} ${pattern}`
    return seen.has(key) ? false : seen.add(key)
  })
}
