import { applyChange } from '../codec/change.ts'
import type { Json, JsonObject } from '../codec/json.ts'
import type { Operation } from '../codec/patch.ts'
import { fromSegments, toSegments } from '../codec/segments.ts'
import { Rm3Error } from '../errors.ts'
import type { Stored } from './document.ts'
import { erase, erasedDocument } from './erased.ts'
import {
  type Content,
  GRANTS_STREAM,
  type Imported,
  SETTINGS_STREAM,
  type SiteEvent,
} from './events.ts'
import { damaged, evolveGrants, evolveSettings, without } from './evolve-site.ts'
import { nextKeyframe } from './keyframe.ts'
import type { Entity, Grants, Settings, State } from './state.ts'
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
  try {
    return following(state, event)
  } catch (thrown) {
    if (thrown instanceof Rm3Error) throw thrown
    throw damaged(event, 'its payload is not what its type says', thrown)
  }
}

function following(state: State | null, event: SiteEvent): State {
  if (event.stream === GRANTS_STREAM) return evolveGrants(state as Grants | null, event)
  if (event.stream === SETTINGS_STREAM) return evolveSettings(state as Settings | null, event)
  const before = state as Entity | null
  const entity = evolveEntity(before, event)
  if (entity.since === event.revision) {
    entity.tags = tagsSince(before, entity)
    entity.listed = listedSince(before, entity)
  }
  entity.keyframe = nextKeyframe(entity.keyframe, event, entity.tip)
  return entity
}

/** The one copy that is made for an event: what the event changes is put into it, and nobody else has seen it yet. */
type Fresh = { -readonly [Key in keyof Entity]: Entity[Key] }

function evolveEntity(before: Entity | null, event: SiteEvent): Fresh {
  if (event.type === 'PageCreated') {
    if (before !== null) throw damaged(event, 'the entity exists')
    return created(event)
  }
  if (before === null) throw damaged(event, 'the entity does not exist')
  const entity: Fresh = { ...before }
  entity.revision = event.revision
  change(entity, event)
  return entity
}

function change(entity: Fresh, event: Exclude<SiteEvent, SiteEvent<'PageCreated'>>): void {
  switch (event.type) {
    case 'PageRevised':
      revise(entity, event)
      return
    case 'PagePublished':
      publish(entity, event)
      return
    case 'PublishScheduled':
      entity.schedules = { ...entity.schedules, [event.eventId]: scheduled(event) }
      return
    case 'ScheduleCancelled':
      entity.schedules = without(entity.schedules, event.data.schedule)
      return
    case 'PageMoved':
      entity.path = event.data.to
      show(entity, event)
      return
    case 'PageDeleted':
      remove(entity, event)
      return
    case 'PageUndeleted':
      undelete(entity, event)
      return
    case 'BlobAttached':
      entity.blobs = { ...entity.blobs, [event.data.name]: blob(event) }
      return
    case 'BlobDetached':
      entity.blobs = without(entity.blobs, event.data.name)
      return
    case 'RoleAssigned':
      entity.roles = { ...entity.roles, [event.data.role]: event.revision }
      return
    case 'RoleDeassigned':
      entity.roles = without(entity.roles, event.data.role)
      return
    case 'CredentialSet':
      setCredential(entity, event)
      return
    case 'CredentialRemoved':
      entity.credentials = without(entity.credentials, event.data.credential)
      return
    case 'Erased':
      erase(entity, event)
      return
    case 'Redacted':
      return
    default:
      throw damaged(event, 'it does not belong into an entity')
  }
}

function created(event: SiteEvent<'PageCreated'>): Fresh {
  const { data } = event
  const tip = 'erased' in data ? erasedDocument(data.proto) : toSegments({ ...data.document })
  const entity: Fresh = {
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
    listed: 0,
    tags: {},
    roles: {},
    credentials: {},
    blobs: {},
    schedules: {},
    keyframe: { revision: 0, bytesSince: 0 },
  }
  if ('erased' in data) entity.tipErased = data.erased
  if (!data.draft) goLive(entity, event, data.modified ?? data.created ?? event.at)
  return entity
}

function revise(entity: Fresh, event: SiteEvent<'PageRevised'>): void {
  const { data } = event
  setTip(entity, data, event)
  tipIs(entity, event, event.revision, event.eventId)
  if (data.created !== undefined) entity.created = data.created
  if (data.draft) return
  const modified = data.modified ?? (data.minor ? (entity.live?.modified ?? event.at) : event.at)
  goLive(entity, event, modified)
}

function publish(entity: Fresh, event: SiteEvent<'PagePublished'>): void {
  const { data } = event
  if (data.schedule !== undefined) entity.schedules = without(entity.schedules, data.schedule)
  if (data.created !== undefined) entity.created = data.created
  if ('erased' in data || 'document' in data) setTip(entity, data, event)
  else if (data.patch !== undefined) setTip(entity, { ...data, patch: data.patch }, event)
  // what was the newest content before the erasure too keeps its author
  const isOther = 'patch' in data || entity.tipRevision !== data.revision
  if (isOther) tipIs(entity, event, data.revision, data.revisionId ?? event.eventId)
  goLive(entity, event, data.modified ?? event.at)
}

function setTip(entity: Fresh, content: Content, event: SiteEvent): void {
  if ('erased' in content) {
    entity.tip = erasedDocument(content.proto)
    entity.tipErased = content.erased
    return
  }
  entity.tip =
    'document' in content
      ? toSegments({ ...content.document })
      : patched(entity.tip, content.patch, event)
  if (entity.tipErased !== undefined) delete entity.tipErased
}

/** The newest content is of that revision. */
function tipIs(entity: Fresh, event: SiteEvent, revision: number, id: string): void {
  entity.tipRevision = revision
  entity.tipId = id
  entity.tipAuthor = event.actor
  entity.tipAt = event.at
}

/** The newest content becomes what readers see. */
function goLive(entity: Fresh, event: SiteEvent & { data: Imported }, modified: string): void {
  entity.state = 'live'
  entity.redirect = null
  entity.since = event.revision
  entity.sinceId = event.eventId
  entity.live = {
    document: entity.tip,
    revision: entity.tipRevision,
    revisionId: entity.tipId,
    number: event.data.number ?? entity.tipRevision,
    modified,
    touched: event.at,
    author: event.actor,
    ...(entity.tipErased !== undefined && { erased: entity.tipErased }),
  }
}

/** Readers see that it is gone; of a page that was never live they see nothing at all. */
function remove(entity: Fresh, event: SiteEvent<'PageDeleted'>): void {
  entity.state = 'deleted'
  entity.redirect = event.data.redirect ?? null
  entity.schedules = {}
  if (entity.live === null) return
  entity.since = event.revision
  entity.sinceId = event.eventId
}

function undelete(entity: Fresh, event: SiteEvent<'PageUndeleted'>): void {
  entity.path = event.data.path
  entity.state = entity.live === null ? 'draft' : 'live'
  entity.redirect = null
  show(entity, event)
}

/** Readers see the same content elsewhere or again. */
function show(entity: Fresh, event: SiteEvent): void {
  if (entity.live === null) return
  entity.since = event.revision
  entity.sinceId = event.eventId
  entity.live = { ...entity.live, touched: event.at }
}

/** The tags readers see, each with the revision since when without a break. Mostly they are those from before. */
function tagsSince(before: Entity | null, entity: Entity): Readonly<Record<string, number>> {
  if (entity.live === null || entity.state !== 'live') return {}
  const { tags } = entity.live.document as { tags: Json }
  const shownBefore = before?.state === 'live' ? (before.live?.document as { tags?: Json }) : null
  if (shownBefore?.tags === tags) return entity.tags
  const keys = tagKeys({ tags: fromSegments(tags) as JsonObject })
  return Object.fromEntries(keys.map(key => [key, entity.tags[key] ?? entity.revision]))
}

/** Since when lists show the entity as they do after this event. Most saves change nothing that they show. */
function listedSince(before: Entity | null, entity: Entity): number {
  if (entity.live === null || entity.state !== 'live') return 0
  if (before?.live === undefined || before.live === null || before.state !== 'live')
    return entity.revision
  const moved = before.path !== entity.path || before.created !== entity.created
  const same = !moved && isListedAlike(before.live.document, entity.live.document)
  return same ? before.listed : entity.revision
}

const LISTED_PARTS = ['proto', 'hidden', 'summary', 'tags'] as const

/** Whether lists show the same of two documents. What a patch leaves alone is the very same object. */
function isListedAlike(was: Stored, is: Stored): boolean {
  if (was === is) return true
  const [a, b] = [was as JsonObject, is as JsonObject]
  return LISTED_PARTS.every(
    part => a[part] === b[part] || JSON.stringify(a[part]) === JSON.stringify(b[part]),
  )
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

function setCredential(entity: Fresh, event: SiteEvent<'CredentialSet'>): void {
  const { credential, ...rest } = event.data
  const entry = { ...rest, created: event.at, since: event.revision }
  entity.credentials = { ...entity.credentials, [credential]: entry }
}
