import { Rm3Error } from '../errors.ts'
import type { EventType, Payloads, SiteEvent } from './events.ts'

/** Today's version of each payload's shape. Raise one, and say below how the shape before becomes it. */
export const EVENT_VERSIONS: Record<EventType, number> = {
  PageCreated: 1,
  PageRevised: 1,
  PagePublished: 1,
  PublishScheduled: 1,
  ScheduleCancelled: 1,
  PageMoved: 1,
  PageDeleted: 1,
  PageUndeleted: 1,
  BlobAttached: 1,
  BlobDetached: 1,
  RoleAssigned: 1,
  RoleDeassigned: 1,
  CredentialSet: 1,
  CredentialRemoved: 1,
  RolePermitted: 1,
  RoleDenied: 1,
  SettingChanged: 1,
  Erased: 1,
  Redacted: 1,
}

/** How the payload of a type in version n becomes one in n + 1: `UPCASTERS[type][n]`. */
export type Upcasters = Partial<Record<EventType, Record<number, (data: unknown) => unknown>>>

export const UPCASTERS: Upcasters = {}

/** A row of the log as it is read, as much of it as content needs. `data` is null where nothing is left of what was erased. */
export interface Recorded {
  readonly position: number
  readonly eventId: string
  readonly stream: string
  readonly revision: number
  readonly type: string
  readonly version: number
  readonly actor: string
  readonly at: string
  readonly note: string | null
  readonly data: string | null
}

/**
 * An event in today's shape. Rows are never rewritten: old shapes are lifted here, one version at a time, each time they are read.
 *
 * @throws DATABASE_NEWER for a type or version this rm3 does not know, LOG_DAMAGED when the payload is not JSON
 */
export function upcast(
  row: Recorded,
  upcasters: Upcasters = UPCASTERS,
  versions: Record<string, number> = EVENT_VERSIONS,
): SiteEvent {
  const today = Object.hasOwn(versions, row.type) ? versions[row.type] : undefined
  if (today === undefined || row.version > today) {
    throw new Rm3Error(
      'DATABASE_NEWER',
      `the log holds ${row.type} in version ${row.version} at position ${row.position}, which this rm3 does not know`,
      { position: row.position },
    )
  }
  if (row.data === null) return redacted(row)
  const type = row.type as EventType
  let data = parsed(row.data, row)
  for (let version = row.version; version < today; version++) {
    const lift = upcasters[type]?.[version]
    if (lift === undefined) throw new Error(`no upcaster of ${type} from version ${version}`)
    data = lift(data)
  }
  const { position, eventId, stream, revision, actor, at, note } = row
  const event = {
    type,
    stream,
    data: data as Payloads[EventType],
    revision,
    position,
    eventId,
    actor,
    at,
    note,
  }
  return event as SiteEvent
}

function redacted(row: Recorded): SiteEvent<'Redacted'> {
  const { position, eventId, stream, revision, actor, at, note, type: was } = row
  return {
    type: 'Redacted',
    stream,
    data: { was },
    revision,
    position,
    eventId,
    actor,
    at,
    note,
  }
}

function parsed(data: string, row: Recorded): unknown {
  try {
    return JSON.parse(data)
  } catch (cause) {
    throw new Rm3Error('LOG_DAMAGED', `the payload at position ${row.position} is not JSON`, {
      position: row.position,
      cause,
    })
  }
}
