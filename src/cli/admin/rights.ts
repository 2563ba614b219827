import { listMembers } from '../../../projections/accounts.ts'
import { listGrants } from '../../../projections/grants.ts'
import { getAccount } from '../../commands/accounts.ts'
import { type Change, change } from '../../commands/change.ts'
import { assignUser, deassignUser, denyRole, permitRole } from '../../commands/rights.ts'
import type { GrantChange } from '../../content/events.ts'
import { leafLabel } from '../../content/path.ts'
import type { Argument, Call, Command, Outcome } from '../command.ts'
import { AS_ROOT, withSite } from '../open.ts'
import { columns } from '../usage.ts'

const USER: Argument = { name: 'USER', summary: 'login name' }
const ROLE: Argument = { name: 'ROLE', summary: 'name of the role' }
const GRANT: readonly Argument[] = [
  ROLE,
  { name: 'PERMISSION', summary: 'what may be done: view, post.edit, …' },
  { name: 'PATTERN', summary: 'on which paths: wh.blog.*, wh.!users.*, *' },
]

const assign: Command = {
  name: 'assign',
  summary: 'gives a user a role',
  arguments: [USER, ROLE],
  run: call => changeRole(call, assignUser, ['now has', 'already had']),
}

const deassign: Command = {
  name: 'deassign',
  summary: 'takes a role from a user',
  arguments: [USER, ROLE],
  run: call => changeRole(call, deassignUser, ['no longer has', 'did not have']),
}

const permit: Command = {
  name: 'permit',
  summary: 'gives a role a permission on the paths of a pattern',
  arguments: GRANT,
  run: call => changeGrant(call, permitRole, ['may now', 'could already']),
}

const deny: Command = {
  name: 'deny',
  summary: 'takes a permission on the paths of a pattern from a role',
  arguments: GRANT,
  run: call => changeGrant(call, denyRole, ['may no longer', 'was never given']),
}

const roleusers: Command = {
  name: 'roleusers',
  summary: 'lists the users who have a role',
  arguments: [ROLE],
  run: call =>
    withSite(call, async ({ db }) => {
      const members = await listMembers(db, call.argument('ROLE'))
      const items = members.map(({ id, path, name }) => ({ user: leafLabel(path), id, path, name }))
      const lines = columns(items.map(({ user, name }) => [user, name]))
      return { text: lines.join('\n') || 'Nobody.', data: { items, next: null } }
    }),
}

const roleinfo: Command = {
  name: 'roleinfo',
  summary: 'lists what a role may do',
  arguments: [ROLE],
  run: call =>
    withSite(call, async ({ db }) => {
      const grants = await listGrants(db)
      const items = grants
        .filter(({ role }) => role === call.argument('ROLE'))
        .map(({ permission, pattern }) => ({ permission, pattern }))
      const lines = columns(items.map(({ permission, pattern }) => [permission, pattern]))
      return { text: lines.join('\n') || 'Nothing.', data: { items, next: null } }
    }),
}

/** What is said when something changed, and when nothing had to. */
type Words = readonly [changed: string, same: string]

function changeRole(
  call: Call,
  command: (change: Change, userId: string, role: string) => Promise<void>,
  [did, same]: Words,
): Promise<Outcome> {
  const role = call.argument('ROLE')
  return withSite(call, async site => {
    const { id, path } = await getAccount(site.db, call.argument('USER'))
    const { position, events } = await change(site, AS_ROOT, it => command(it, id, role))
    const user = leafLabel(path)
    const changed = events.length > 0
    const text = `${user} ${changed ? did : same} the role ${role}.`
    return { text, data: { user, id, role, changed, position } }
  })
}

function changeGrant(
  call: Call,
  command: (change: Change, grant: GrantChange) => Promise<void>,
  [did, same]: Words,
): Promise<Outcome> {
  const role = call.argument('ROLE')
  const permission = call.argument('PERMISSION')
  const pattern = call.argument('PATTERN')
  return withSite(call, async site => {
    const grant = { role, permission, pattern }
    const { position, events } = await change(site, AS_ROOT, it => command(it, grant))
    const changed = events.length > 0
    const text = `${role} ${changed ? did : same}: ${permission} on ${pattern}.`
    return { text, data: { ...grant, changed, position } }
  })
}

/** `rm3admin assign`, `deassign`, `permit`, `deny`, `roleusers` and `roleinfo`. */
export const rightsCommands: readonly Command[] = [
  assign,
  deassign,
  permit,
  deny,
  roleusers,
  roleinfo,
]
