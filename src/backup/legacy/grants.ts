import { GRANTS_STREAM } from '../../content/events.ts'
import { spotIn, warn } from './findings.ts'
import type { LegacyRow } from './history.ts'
import { derivedId } from './ids.ts'
import { keptOf } from './kept.ts'
import { writtenAt } from './moments.ts'
import { type Grant, nameAt, patternAt, renamedPermission } from './permissions.ts'
import { type Origin, type Step, synthesised } from './plan.ts'

/**
 * Permissions given and taken, as steps of the site's stream of grants, oldest first.
 *
 * Those of `permissions.json` that no row gives are given at the time of the backup: rm3 0.x does not back up when
 * and by whom they were.
 */
export function tellGrants(
  rows: readonly LegacyRow[],
  grants: readonly Grant[],
  origin: Origin,
): Step[] {
  const steps = rows.map(row => stepOf(row, origin))
  steps.sort((one, other) => one.time - other.time)
  const held = new Set<string>()
  for (const { fact } of steps) {
    if (fact.type === 'RolePermitted') held.add(keyOf(fact.data))
    if (fact.type === 'RoleDenied') held.delete(keyOf(fact.data))
  }
  for (const grant of grants) {
    if (held.delete(keyOf(grant))) continue
    if (rows.length > 0) warn(grant.spot, 'grant-without-row', 'no row of a history gives this')
    steps.push(grantedBy(grant, origin))
  }
  const [any] = rows
  if (held.size > 0 && any !== undefined)
    warn(any.spot, 'grant-not-listed', `${held.size} grants are not in permissions.json; kept`)
  return steps
}

function stepOf(row: LegacyRow, origin: Origin): Step {
  const data = spotIn(row.spot, 'data')
  const version = origin.from.replace('rm3 ', '')
  const stated = nameAt(spotIn(data, 'permission'))
  const permission = renamedPermission(stated, version)
  const pattern = patternAt(spotIn(data, 'path'))
  const grant = { role: nameAt(spotIn(data, 'role')), permission, pattern }
  const at = writtenAt(row, origin.dumpedAt)
  const time = Date.parse(at)
  return {
    fact:
      row.evtClass === 'rm3:permit'
        ? { type: 'RolePermitted', stream: GRANTS_STREAM, data: grant }
        : { type: 'RoleDenied', stream: GRANTS_STREAM, data: grant },
    eventId: origin.idOf(row),
    actor: origin.actorOf(row.actorPath, time),
    at,
    time,
    note: row.note,
    kept: {
      ...keptOf(origin, row, null),
      ...(permission !== stated && { permission: stated }),
    },
  }
}

function grantedBy(
  { spot, role, permission, pattern, oldPermission }: Grant,
  origin: Origin,
): Step {
  const data = { role, permission, pattern }
  const eventId = derivedId('rm3 0.x grant', origin.identity, data)
  const kept = {
    file: spot.file,
    place: spot.tokens.join('/'),
    ...(oldPermission !== null && { permission: oldPermission }),
  }
  const fact = { type: 'RolePermitted', stream: GRANTS_STREAM, data } as const
  return synthesised(origin, { fact, eventId, at: origin.dumpedAt, kept }, 'held at the backup')
}

function keyOf(grant: { role: string; permission: string; pattern: string }): string {
  return `${grant.role} ${grant.permission} ${grant.pattern}`
}
