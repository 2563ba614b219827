import { applyChange } from '../codec/change.ts'
import type { Json } from '../codec/json.ts'
import type { Operation } from '../codec/patch.ts'
import { toSegments } from '../codec/segments.ts'
import { Rm3Error } from '../errors.ts'
import { documentOf, type Stored } from './document.ts'
import { GRANTS_STREAM, type Imported, SETTINGS_STREAM, type SiteEvent } from './events.ts'
import {
  type Entity,
  type Grants,
  KEYFRAME_BYTES,
  KEYFRAME_EVENTS,
  type Keyframe,
  type Settings,
  type State,
} from './state.ts'
import { tagKeys } from './tags.ts'

/**
 * The state after `event`, given the state before (null before the first). Pure: the append, a rebuild, a check and a look at
 * the past all fold with it.
 *
 * @throws LOG_DAMAGED when the event cannot follow that state
 */
export function evolve(state: State | null, event: SiteEvent): State {
  if (event.revision !== (state?.revision ?? 0) + 1) {
    throw damaged(event, `it follows revision ${state?.revision ?? 0}`)
  }
  if (event.stream === GRANTS_STREAM) return evolveGrants(state as Grants | null, event)
  if (event.stream === SETTINGS_STREAM) return evolveSettings(state as Settings | null, event)
  const before = state as Entity | null
  const entity = evolveEntity(before, event)
  const tags = entity.since === event.revision ? tagsSince(before, entity) : entity.tags
  return { ...entity, tags, keyframe: nextKeyframe(entity.keyframe, event, entity.tip) }
}

/** The key of a grant in `Grants.active`. */
export function grantKey(grant: { role: string; permission: string; pattern: string }): string {
  return `${grant.role} ${grant.permission} ${grant.pattern}`
}

function evolveEntity(before: Entity | null, event: SiteEvent): Entity {
  if (event.type === 'PageCreated') {
    if (before !== null) throw damaged(event, 'the entity exists')
    return created(event)
  }
  if (before === null) throw damaged(event, 'the entity does not exist')
  const entity: Entity = { ...before, revision: event.revision }
  switch (event.type) {
    case 'PageRevised':
      return revised(entity, event)
    case 'PagePublished':
      return published(entity, event)
    case 'PublishScheduled':
      return { ...entity, schedules: { ...entity.schedules, [event.eventId]: scheduled(event) } }
    case 'ScheduleCancelled':
      return { ...entity, schedules: without(entity.schedules, event.data.schedule) }
    case 'PageMoved':
      return shown({ ...entity, path: event.data.to }, event)
    case 'PageDeleted':
      return deleted(entity, event)
    case 'PageUndeleted':
      return undeleted(entity, event)
    case 'BlobAttached':
      return { ...entity, blobs: { ...entity.blobs, [event.data.name]: blob(event) } }
    case 'BlobDetached':
      return { ...entity, blobs: without(entity.blobs, event.data.name) }
    case 'RoleAssigned':
      return { ...entity, roles: { ...entity.roles, [event.data.role]: event.revision } }
    case 'RoleDeassigned':
      return { ...entity, roles: without(entity.roles, event.data.role) }
    case 'CredentialSet':
      return withCredential(entity, event)
    case 'CredentialRemoved':
      return { ...entity, credentials: without(entity.credentials, event.data.credential) }
    default:
      throw damaged(event, 'it does not belong into an entity')
  }
}

function created(event: SiteEvent<'PageCreated'>): Entity {
  const { data } = event
  const tip = toSegments({ ...data.document })
  const entity: Entity = {
    kind: 'entity',
    id: event.stream,
    revision: event.revision,
    path: data.path,
    state: 'draft',
    redirect: null,
    created: data.created ?? event.at,
    tip,
    tipRevision: event.revision,
    tipId: event.eventId,
    tipAuthor: event.actor,
    tipAt: event.at,
    live: null,
    since: 0,
    sinceId: null,
    tags: {},
    roles: {},
    credentials: {},
    blobs: {},
    schedules: {},
    keyframe: { revision: 0, bytesSince: 0 },
  }
  return data.draft ? entity : goLive(entity, event, data.modified ?? data.created ?? event.at)
}

function revised(entity: Entity, event: SiteEvent<'PageRevised'>): Entity {
  const { data } = event
  const tip =
    'document' in data ? toSegments({ ...data.document }) : patched(entity.tip, data.patch, event)
  const next: Entity = {
    ...entity,
    tip,
    tipRevision: event.revision,
    tipId: event.eventId,
    tipAuthor: event.actor,
    tipAt: event.at,
    created: data.created ?? entity.created,
  }
  if (data.draft) return next
  const modified = data.modified ?? (data.minor ? (entity.live?.modified ?? event.at) : event.at)
  return goLive(next, event, modified)
}

function published(entity: Entity, event: SiteEvent<'PagePublished'>): Entity {
  const { data } = event
  const modified = data.modified ?? event.at
  const schedules =
    data.schedule === undefined ? entity.schedules : without(entity.schedules, data.schedule)
  const next: Entity = { ...entity, schedules, created: data.created ?? entity.created }
  if (data.patch === undefined) return goLive(next, event, modified)
  const older: Entity = {
    ...next,
    tip: patched(entity.tip, data.patch, event),
    tipRevision: data.revision,
    tipId: data.revisionId ?? event.eventId,
    tipAuthor: event.actor,
    tipAt: event.at,
  }
  return goLive(older, event, modified)
}

/** The newest content becomes what readers see. */
function goLive(entity: Entity, event: SiteEvent & { data: Imported }, modified: string): Entity {
  return {
    ...entity,
    state: 'live',
    redirect: null,
    since: event.revision,
    sinceId: event.eventId,
    live: {
      document: entity.tip,
      revision: entity.tipRevision,
      revisionId: entity.tipId,
      number: event.data.number ?? entity.tipRevision,
      modified,
      touched: event.at,
      author: event.actor,
    },
  }
}

/** Readers see that it is gone; of a page that was never live they see nothing at all. */
function deleted(before: Entity, event: SiteEvent<'PageDeleted'>): Entity {
  const redirect = event.data.redirect ?? null
  const entity: Entity = { ...before, state: 'deleted', redirect, schedules: {} }
  if (entity.live === null) return entity
  return { ...entity, since: event.revision, sinceId: event.eventId }
}

function undeleted(before: Entity, event: SiteEvent<'PageUndeleted'>): Entity {
  const state = before.live === null ? 'draft' : 'live'
  return shown({ ...before, path: event.data.path, state, redirect: null }, event)
}

/** Readers see the same content elsewhere or again. */
function shown(entity: Entity, event: SiteEvent): Entity {
  if (entity.live === null) return entity
  return {
    ...entity,
    since: event.revision,
    sinceId: event.eventId,
    live: { ...entity.live, touched: event.at },
  }
}

/** The tags readers see, each with the revision since when without a break. Mostly they are those from before. */
function tagsSince(before: Entity | null, entity: Entity): Readonly<Record<string, number>> {
  if (entity.live === null || entity.state !== 'live') return {}
  const { tags } = entity.live.document as { tags: Json }
  const shownBefore = before?.state === 'live' ? (before.live?.document as { tags?: Json }) : null
  if (shownBefore?.tags === tags) return entity.tags
  const keys = tagKeys(documentOf(entity.live.document))
  return Object.fromEntries(keys.map(key => [key, entity.tags[key] ?? entity.revision]))
}

function patched(tip: Stored, patch: readonly Operation[], event: SiteEvent): Stored {
  try {
    return applyChange(tip, patch)
  } catch (cause) {
    throw damaged(event, 'its patch does not apply', cause)
  }
}

function blob(event: SiteEvent<'BlobAttached'>): Entity['blobs'][string] {
  const { sha256, sizeBytes, mediaType, category } = event.data
  return { sha256, sizeBytes, mediaType, category, since: event.revision }
}

function scheduled(event: SiteEvent<'PublishScheduled'>): Entity['schedules'][string] {
  const { revision, revisionId, at } = event.data
  return { revision, revisionId, at, actor: event.actor, since: event.revision }
}

function withCredential(entity: Entity, event: SiteEvent<'CredentialSet'>): Entity {
  const { credential, ...rest } = event.data
  const entry = { ...rest, created: event.at, since: event.revision }
  return { ...entity, credentials: { ...entity.credentials, [credential]: entry } }
}

function evolveGrants(before: Grants | null, event: SiteEvent): Grants {
  const active = before?.active ?? {}
  const keyframe = nextKeyframe(before?.keyframe ?? NO_KEYFRAME, event, null)
  const next = { kind: 'grants', revision: event.revision, keyframe } as const
  switch (event.type) {
    case 'RolePermitted':
      return { ...next, active: { ...active, [grantKey(event.data)]: event.revision } }
    case 'RoleDenied':
      return { ...next, active: without(active, grantKey(event.data)) }
    default:
      throw damaged(event, 'it does not belong to the grants')
  }
}

function evolveSettings(before: Settings | null, event: SiteEvent): Settings {
  if (event.type !== 'SettingChanged') throw damaged(event, 'it does not belong to the settings')
  const entry = { value: event.data.value, since: event.revision }
  return {
    kind: 'settings',
    revision: event.revision,
    values: { ...before?.values, [event.data.key]: entry },
    keyframe: nextKeyframe(before?.keyframe ?? NO_KEYFRAME, event, null),
  }
}

const NO_KEYFRAME: Keyframe = { revision: 0, bytesSince: 0 }

/** Keeps the cost of reading any revision bounded: by events, and by bytes once they pass those of the document. */
function nextKeyframe(last: Keyframe, event: SiteEvent, document: Stored): Keyframe {
  const bytesSince = last.bytesSince + patchBytes(event)
  const deep = event.revision - last.revision >= KEYFRAME_EVENTS
  const heavy = bytesSince > KEYFRAME_BYTES && bytesSince > roughBytes(document)
  return deep || heavy
    ? { revision: event.revision, bytesSince: 0 }
    : { revision: last.revision, bytesSince }
}

function patchBytes(event: SiteEvent): number {
  if (event.type === 'PageRevised' && 'document' in event.data)
    return roughBytes(event.data.document)
  const patch = (event.data as { patch?: readonly Operation[] }).patch
  return patch === undefined ? 0 : roughBytes(patch)
}

/** About how many bytes a value takes as JSON: cheap, and the same wherever it is computed. */
export function roughBytes(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  let bytes = 2
  for (const [key, member] of Object.entries(value)) bytes += key.length + 3 + roughBytes(member)
  return bytes
}

function without<Value>(
  record: Readonly<Record<string, Value>>,
  key: string,
): Record<string, Value> {
  const { [key]: _, ...rest } = record
  return rest
}

function damaged(event: SiteEvent, why: string, cause?: unknown): Rm3Error {
  return new Rm3Error(
    'LOG_DAMAGED',
    `the event ${event.type} at position ${event.position} (revision ${event.revision} of ${event.stream}) cannot be folded: ${why}`,
    { position: event.position, cause },
  )
}
