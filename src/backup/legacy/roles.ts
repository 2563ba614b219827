import { warn } from './findings.ts'
import type { LegacyRow } from './history.ts'
import { derivedId } from './ids.ts'
import { keptOf } from './kept.ts'
import { writtenAt } from './moments.ts'
import type { Assignment } from './permissions.ts'
import { type Origin, type Step, synthesised } from './plan.ts'
import type { Residents } from './residents.ts'

/** Roles given and taken, by the stream of the user they are about; `homeless` are rows about users unknown. */
export interface ToldRoles {
  readonly steps: ReadonlyMap<string, Step[]>
  readonly homeless: readonly LegacyRow[]
}

/**
 * Roles out of the histories, and those out of `permissions.json` that the histories do not lead to: rm3 0.x writes
 * only some of the assignments there, and keeps no rows of others.
 */
export function tellRoles(
  rows: readonly LegacyRow[],
  assignments: readonly Assignment[],
  known: {
    readonly origin: Origin
    readonly residents: Residents
    /** Whether there is a page of that stream. */
    readonly isTold: (stream: string) => boolean
  },
): ToldRoles {
  const { origin, residents, isTold } = known
  const steps = new Map<string, Step[]>()
  const homeless: LegacyRow[] = []
  const timed = rows.map(row => ({ row, at: writtenAt(row, origin.dumpedAt) }))
  timed.sort((one, other) => Date.parse(one.at) - Date.parse(other.at))
  for (const { row, at } of timed) {
    const stream = residents(row.path, Date.parse(at))
    if (stream === null || !isTold(stream)) homeless.push(row)
    else listOf(steps, stream).push(stepOf(origin, row, { stream, at }))
  }
  const held = new Map([...steps].map(([stream, list]) => [stream, rolesAfter(list)]))
  for (const assignment of assignments) {
    const { stream, role, spot } = assignment
    if (held.get(stream)?.delete(role)) continue
    warn(spot, 'assignment-without-row', `no row of a history gives ${role} to ${assignment.path}`)
    listOf(steps, stream).push(assignedBy(origin, assignment))
  }
  warnOfRest(held, assignments, origin)
  return { steps, homeless }
}

function stepOf(origin: Origin, row: LegacyRow, where: { stream: string; at: string }): Step {
  const { stream, at } = where
  const time = Date.parse(at)
  const data = { role: row.role ?? '' }
  const given = row.evtClass === 'rm3:assign'
  return {
    fact: given ? { type: 'RoleAssigned', stream, data } : { type: 'RoleDeassigned', stream, data },
    eventId: origin.idOf(row),
    actor: origin.actorOf(row.actorPath, time),
    at,
    time,
    note: row.note,
    kept: keptOf(origin, row, null),
  }
}

function assignedBy(origin: Origin, { stream, role, path, spot }: Assignment): Step {
  const eventId = derivedId('rm3 0.x assignment', origin.identity, stream, role)
  const kept = { file: spot.file, place: spot.tokens.join('/'), path }
  const fact = { type: 'RoleAssigned', stream, data: { role } } as const
  return synthesised(origin, { fact, eventId, at: origin.dumpedAt, kept }, 'held at the backup')
}

function rolesAfter(steps: readonly Step[]): Set<string> {
  const roles = new Set<string>()
  for (const { fact } of steps) {
    if (fact.type === 'RoleAssigned') roles.add(fact.data.role)
    if (fact.type === 'RoleDeassigned') roles.delete(fact.data.role)
  }
  return roles
}

/** `held` has what the histories lead to and `permissions.json` does not name. */
function warnOfRest(
  held: ReadonlyMap<string, ReadonlySet<string>>,
  assignments: readonly Assignment[],
  origin: Origin,
): void {
  const [any] = assignments
  if (any === undefined) return
  for (const [stream, roles] of held) {
    const message = `${origin.from} does not list ${[...roles].join(', ')} of ${stream}; kept`
    if (roles.size > 0) warn(any.spot, 'assignment-not-listed', message)
  }
}

function listOf(steps: Map<string, Step[]>, stream: string): Step[] {
  const list = steps.get(stream) ?? []
  steps.set(stream, list)
  return list
}
