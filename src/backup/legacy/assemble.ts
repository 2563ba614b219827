import { GRANTS_STREAM } from '../../content/events.ts'
import { attachBlobs, type FoundBlob } from './blobs.ts'
import type { LegacyCredential, ToldCredentials } from './credentials.ts'
import type { Findings } from './findings.ts'
import { tellGrants } from './grants.ts'
import type { Lives } from './lives.ts'
import { mergeStreams, withSteps } from './merge.ts'
import { numberSteps } from './number.ts'
import { endStays } from './occupancy.ts'
import { keepOddRows } from './odd-rows.ts'
import type { Permissions } from './permissions.ts'
import type { Origin, PlannedAppend, Step } from './plan.ts'
import type { LegacyRecord } from './record.ts'
import type { Residents } from './residents.ts'
import { tellRoles } from './roles.ts'
import { tellLife } from './tell.ts'

/** Everything that was read, before it is put in order. */
export interface Material {
  readonly records: readonly LegacyRecord[]
  readonly lives: Lives
  readonly residents: Residents
  readonly origin: Origin
  readonly findings: Findings
  readonly permissions: Permissions
  readonly told: ToldCredentials
  readonly blobs: readonly FoundBlob[]
}

/** Events in the order of the log, in the groups that stand or fall together. */
export interface Assembled {
  readonly appends: readonly PlannedAppend[]
  readonly credentials: readonly LegacyCredential[]
}

/** The plan of what was read. What contradicts itself is refused among the findings. */
export function assemble(material: Material): Assembled {
  const { records, lives, residents, origin, findings, permissions, told } = material
  const ids = records.flatMap(record => record.rows).map(lives.idOf)
  const idsUsed: ReadonlySet<string> = new Set(ids)
  const streams = new Map<string, Step[]>()
  const homeless = [...lives.oddRows]
  for (const life of lives.lives.values()) {
    const story = tellLife(life, origin, idsUsed)
    homeless.push(...story.homeless)
    if (story.steps.length > 0) streams.set(life.entityId, story.steps)
  }
  const roles = tellRoles(lives.roleRows, permissions.assignments, {
    origin,
    residents,
    isTold: stream => streams.has(stream),
  })
  const streamAt = (path: string) => origin.recordAt(path)?.entityId ?? null
  attachBlobs(material.blobs, streams, { origin, streamAt })
  for (const steps of [roles.steps, told.steps]) {
    for (const [stream, more] of steps)
      streams.set(stream, withSteps(streams.get(stream) ?? [], more))
  }
  keepOddRows([...homeless, ...roles.homeless], streams, origin)
  streams.set(GRANTS_STREAM, tellGrants(lives.grantRows, permissions.grants, origin))
  const living = new Set(records.filter(({ content }) => content).map(({ entityId }) => entityId))
  const merged = mergeStreams(streams, Date.parse(origin.dumpedAt))
  const steps = endStays(merged, living, { origin, findings })
  return { appends: numberSteps(steps, findings), credentials: told.credentials }
}
