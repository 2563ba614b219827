import { findAccount, listRoles } from '../../../projections/accounts.ts'
import { type Grant, listGrants } from '../../../projections/grants.ts'
import { NOBODY_ROLE, viewerWith } from '../../access/viewer.ts'
import { parsePath } from '../../content/path.ts'
import { compilePattern } from '../../content/pattern.ts'
import { readHead } from '../../log/read.ts'
import type { Db } from '../../pg/db.ts'
import type { AtPosition } from '../../queries/at.ts'
import { resolvePosition } from '../../queries/at.ts'
import { userIdAt } from '../../queries/explain.ts'
import type { Call, Command, Outcome } from '../command.ts'
import { withSite } from '../open.ts'

/** Why somebody may do something, or may not, as of a position. */
interface Explanation {
  readonly position: number
  readonly recordedAt: string | null
  readonly allowed: boolean
  readonly roles: readonly string[]
  /** Grants of these roles that say yes. */
  readonly because: readonly Grant[]
  /** Grants that would say yes to somebody with their role. */
  readonly missing: readonly Grant[]
}

/** `rm3admin explain`: which grants say yes, or which would. */
export const explain: Command = {
  name: 'explain',
  summary: 'says why a user may do something on a path, or what is missing',
  arguments: [
    { name: 'USER', summary: 'login name, or nobody for who is not logged in' },
    { name: 'PERMISSION', summary: 'such as view or post.edit' },
    { name: 'PATH', summary: 'dotted path; nothing need be there' },
  ],
  options: {
    at: { value: 'WHEN', summary: 'also as of position:N, an instant or a date' },
  },
  run: call => withSite(call, ({ db }) => explainIn(call, db)),
}

async function explainIn(call: Call, db: Db): Promise<Outcome> {
  const name = call.argument('USER')
  const permission = call.argument('PERMISSION')
  const path = parsePath(call.argument('PATH'))
  const at = call.option('at')
  const moment = at === null ? null : await resolvePosition(db, at)
  const userId = await userIdAt(db, name, moment?.position ?? null)
  const asked = { userId, permission, path }
  const then = moment === null ? null : await explanationAt(db, asked, moment)
  // who is gone has no rights now, whatever roles come back with the user one day
  const isGone = userId !== null && (await findAccount(db, userId)) === null
  const present = { ...asked, userId: isGone ? null : userId }
  const now = await explanationAt(db, present, await readHead(db))
  const lines = [
    ...linesOf(`${name}: ${permission} on ${path}`, now, 'now'),
    ...(then === null
      ? []
      : ['', ...linesOf('Then', then, then.recordedAt ?? 'before the first event')]),
  ]
  const data = { user: name, permission, path, ...now, ...(then && { then }) }
  return { text: lines.join('\n'), data: JSON.parse(JSON.stringify(data)) }
}

async function explanationAt(
  db: Db,
  { userId, permission, path }: { userId: string | null; permission: string; path: string },
  { position, recordedAt }: Pick<AtPosition, 'position' | 'recordedAt'>,
): Promise<Explanation> {
  const roles = userId === null ? [] : await listRoles(db, userId, position)
  const grants = await listGrants(db, position)
  const held = [NOBODY_ROLE, ...roles]
  const fitting = grants.filter(
    grant => grant.permission === permission && compilePattern(grant.pattern).matches(path),
  )
  return {
    position,
    recordedAt: position === 0 ? null : recordedAt,
    allowed: viewerWith(grants, roles, userId).may(permission, path),
    roles: held,
    because: fitting.filter(({ role }) => held.includes(role)),
    missing: fitting.filter(({ role }) => !held.includes(role)),
  }
}

function linesOf(title: string, explanation: Explanation, when: string): string[] {
  const { allowed, roles, because, missing, position } = explanation
  const others =
    missing.length === 0
      ? ['  no role has that permission there']
      : missing.map(({ role, pattern }) => `  the role ${role} would, on ${pattern}`)
  return [
    `${title}: ${allowed ? 'yes' : 'no'} (${when}, position ${position})`,
    `  roles: ${roles.join(', ')}`,
    ...because.map(({ role, pattern }) => `  granted by the role ${role}, on ${pattern}`),
    ...(allowed ? [] : others),
  ]
}
