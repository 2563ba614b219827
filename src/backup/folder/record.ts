import { documentOf, type JsonObject } from '../../content/document.ts'
import type { Entity } from '../../content/state.ts'
import { HISTORY_BEGINS, HISTORY_ENDS } from './format.ts'

/** Where an entity's events are in the log, by revision: `at(1)` is the first one's position. */
export interface Positions {
  at(revision: number): number
}

/** What a record says of the backup that it is in. */
export interface Surroundings {
  readonly positions: Positions
  /** Files of blobs, by SHA-256: all that the entity has. */
  readonly blobs: ReadonlyMap<string, { readonly file: string }>
}

/**
 * What an entity is at the end of its history, under the names that rm3dump and rm3 0.x print it with: what readers see, of an entity that
 * was never live its newest draft; then what belongs to it.
 */
export function recordOf(entity: Entity, { positions, blobs }: Surroundings): JsonObject {
  const { live } = entity
  const shown = live === null ? draftShown(entity) : liveShown(entity, live, positions)
  const document = documentOf(live?.document ?? entity.tip)
  return {
    path: entity.path,
    entityId: entity.id,
    ...shown.head,
    proto: document.proto,
    stub: false,
    state: entity.state,
    redirect: entity.redirect,
    hidden: document.hidden,
    created: entity.created,
    ...shown.times,
    summary: document.summary,
    data: document.data,
    tags: document.tags,
    ...belongings(entity, blobs),
    draft: live !== null && live.document !== entity.tip ? draftOf(entity) : null,
  }
}

interface Shown {
  readonly head: JsonObject
  readonly times: JsonObject
}

function liveShown(entity: Entity, live: NonNullable<Entity['live']>, at: Positions): Shown {
  const { revisionId, number, revision, modified, touched, author } = live
  const head = { revisionId, revisionNum: number, revision, position: at.at(entity.since) }
  return { head, times: { modified, touched, author } }
}

function draftShown({ tipId, tipRevision, tipAt, tipAuthor }: Entity): Shown {
  const head = {
    revisionId: tipId,
    revisionNum: tipRevision,
    revision: tipRevision,
    position: null,
  }
  return { head, times: { modified: tipAt, touched: tipAt, author: tipAuthor } }
}

function belongings(entity: Entity, files: Surroundings['blobs']): JsonObject {
  const { roles, credentials, blobs, schedules } = entity
  return {
    roles: Object.keys(roles),
    credentials: Object.entries(credentials).map(([credential, { provider, created, ...rest }]) => {
      const { label = null, scope = null, expires = null } = rest
      return { credential, provider, label, scope, expires, created }
    }),
    blobs: Object.entries(blobs).map(([name, { sha256, sizeBytes, mediaType, category }]) => {
      const file = files.get(sha256)?.file ?? null
      return { name, file, sizeBytes, mediaType, category }
    }),
    scheduled: Object.entries(schedules).map(([schedule, { revision, revisionId, at, actor }]) => {
      return { schedule, revision, revisionId, at, actor }
    }),
  }
}

/** Newer content than what readers see. */
function draftOf(entity: Entity): JsonObject {
  const { tipRevision: revision, tipId: revisionId, tipAt: at, tipAuthor: author } = entity
  const { proto, hidden, summary, data, tags } = documentOf(entity.tip)
  return { revision, revisionId, at, author, proto, hidden, summary, data, tags }
}

/** The beginning of a file of a history: the record, and what stands before the first event. */
export function headText(record: JsonObject): string {
  return `${bodyText(record)},\n${HISTORY_BEGINS}\n`
}

/** What stands after the last event. */
export const TAIL_TEXT = `\n${HISTORY_ENDS}\n}\n`

/** A file without a history. */
export function recordText(record: JsonObject): string {
  return `${bodyText(record)}\n}\n`
}

/** A record without its end. What is nothing but a list has a line for each item. */
function bodyText(record: JsonObject): string {
  const [[name, items] = ['', null], ...others] = Object.entries(record)
  if (others.length > 0 || !Array.isArray(items)) {
    return JSON.stringify(record, null, 2).slice(0, -2)
  }
  const lines = items.map(item => `\n    ${JSON.stringify(item)}`).join(',')
  return `{\n  "${name}": [${lines}\n  ]`
}
