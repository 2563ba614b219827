import type { Json } from '../codec/json.ts'
import type { Stored } from './document.ts'

/** What readers see of an entity. */
export interface Live {
  readonly document: Stored
  /** The content revision it shows, its event id, and the number people know it by. */
  readonly revision: number
  readonly revisionId: string
  readonly number: number
  readonly modified: string
  readonly touched: string
  readonly author: string
  /** Of content that was erased: the revision of the event that erased it. */
  readonly erased?: number
}

export interface Blob {
  readonly sha256: string
  readonly sizeBytes: number
  readonly mediaType: string
  readonly category: 'public' | 'private'
  readonly since: number
}

export interface Credential {
  readonly provider: string
  readonly label?: string
  readonly scope?: string
  readonly expires?: string
  readonly created: string
  readonly since: number
}

/** A revision that shall go live at an instant. */
export interface Scheduled {
  readonly revision: number
  readonly revisionId: string
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string
  /** Who said so. */
  readonly actor: string
  readonly since: number
}

/** Everything an entity's stream says, folded. `since` is always a revision of the stream. */
export interface Entity {
  readonly kind: 'entity'
  readonly id: string
  readonly revision: number
  readonly path: string
  /** 'draft' was never live. A deleted entity keeps its path and documents. */
  readonly state: 'draft' | 'live' | 'deleted'
  readonly redirect: string | null
  readonly created: string
  /** The newest content, draft or live, its revision, and the id of that revision's event. */
  readonly tip: Stored
  readonly tipRevision: number
  readonly tipId: string
  readonly tipAuthor: string
  readonly tipAt: string
  /** Of newest content that was erased: the revision of the event that erased it. */
  readonly tipErased?: number
  readonly live: Live | null
  /** The last event that changed what readers see: its revision (0 before the first) and its id, which is the ETag. */
  readonly since: number
  readonly sinceId: string | null
  /** Since which revision lists show it as they do now: its path and all of its document but `data`; 0: they do not show it. */
  readonly listed: number
  /** Tags that readers see (see `tags.ts`), with the revision since when. */
  readonly tags: Readonly<Record<string, number>>
  /** Roles of a user, with the revision since when. */
  readonly roles: Readonly<Record<string, number>>
  readonly credentials: Readonly<Record<string, Credential>>
  readonly blobs: Readonly<Record<string, Blob>>
  /** What lies ahead, by the id of the event that said so. A deleted page has none. */
  readonly schedules: Readonly<Record<string, Scheduled>>
  readonly keyframe: Keyframe
}

/** The last revision kept whole, and the bytes of patches since. */
export interface Keyframe {
  readonly revision: number
  readonly bytesSince: number
}

/** The grants of the site: `role permission pattern` (none holds a space) → revision since when. */
export interface Grants {
  readonly kind: 'grants'
  readonly revision: number
  readonly active: Readonly<Record<string, number>>
  readonly keyframe: Keyframe
}

export interface Settings {
  readonly kind: 'settings'
  readonly revision: number
  readonly values: Readonly<Record<string, { readonly value: Json; readonly since: number }>>
  readonly keyframe: Keyframe
}

export type State = Entity | Grants | Settings

/** Events between keyframes, and bytes of patches between them when that is more than the document itself. */
export const KEYFRAME_EVENTS = 32
export const KEYFRAME_BYTES = 65_536

/**
 * The member of a record, or undefined when it has none of its own: a role may be called `constructor`.
 */
export function own<Value>(
  record: Readonly<Record<string, Value>>,
  key: string,
): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

/** Whether the state is kept whole at its revision. */
export function isKeyframe(state: State): boolean {
  return state.keyframe.revision === state.revision
}
