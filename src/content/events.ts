import type { Operation } from '../codec/patch.ts'
import type { Document, Json, JsonObject } from './document.ts'

/** The streams that belong to the site and not to an entity. */
export const GRANTS_STREAM = '00000000-0000-4000-8000-000000000001'
export const SETTINGS_STREAM = '00000000-0000-4000-8000-000000000002'

/** Fixed actors; any other actor is a user's entity id. */
export const ROOT = 'root'
export const NOBODY = 'nobody'
export const SYSTEM = 'system'

/**
 * What an import keeps of the original where the event's own columns have no place for it.
 *
 * `number` is the revision number the old system showed; instants are RFC 3339 in UTC with milliseconds.
 */
export interface Imported {
  readonly number?: number
  readonly created?: string
  readonly modified?: string
}

/** What is left of content that was erased: the revision of the `Erased` event, and the page's type, which says nothing of it. */
export interface ErasedContent {
  readonly erased: number
  readonly proto: string
}

/** A whole document, or how it follows from the one before it in the stream (draft or live). */
export type Content =
  | { readonly document: Document }
  | { readonly patch: readonly Operation[]; readonly hash: string }
  | ErasedContent

/** A draft that somebody must approve before it goes live, or that was refused. */
export type Review = 'waiting' | 'rejected'

export type PageCreated = Imported & {
  readonly path: string
  readonly draft?: true
  readonly review?: Review
} & ({ readonly document: Document } | ErasedContent)

/** `base`: the revision the author started from. `minor`: `modified` stays. `restored`: the revision brought back. */
export type PageRevised = Imported & {
  readonly base: number
  readonly draft?: true
  readonly review?: Review
  readonly minor?: true
  readonly restored?: number
} & Content

/**
 * `revision` went live. When it was not the newest, `patch` leads from the newest document to that one (or `document` is it, after an
 * erasure), and `revisionId` is the id of its event. `schedule`: the id of the event that said so beforehand.
 */
export type PagePublished = Imported & {
  readonly revision: number
  readonly revisionId?: string
  readonly schedule?: string
} & (
    | { readonly patch?: readonly Operation[]; readonly hash: string }
    | { readonly document: Document }
    | ErasedContent
  )

/** `revision`, made by the event `revisionId`, shall go live at an instant. The event's own id names the schedule. */
export interface PublishScheduled {
  readonly revision: number
  readonly revisionId: string
  readonly at: string
}

/** It shall not. `reason`: why it could not when its time came; without one somebody took it back. */
export interface ScheduleCancelled {
  readonly schedule: string
  readonly reason?: 'live already' | 'path taken'
}

export interface PageMoved extends Imported {
  readonly from: string
  readonly to: string
}

/** `redirect`: a site-relative URL or an http(s) one to send readers to. */
export interface PageDeleted extends Imported {
  readonly redirect?: string
}

export interface PageUndeleted {
  readonly path: string
}

export interface BlobAttached {
  readonly name: string
  readonly sha256: string
  readonly sizeBytes: number
  readonly mediaType: string
  readonly category: 'public' | 'private'
}

export interface BlobDetached {
  readonly name: string
}

export interface RoleChange {
  readonly role: string
}

/** The secret itself is in the table `credential_secrets`, never here. */
export interface CredentialChange {
  readonly credential: string
  readonly provider: 'password' | 'token' | 'totp' | (string & {})
  /** What the user called it, or the user id of the old system. */
  readonly label?: string
  readonly scope?: string
  readonly expires?: string
}

export interface GrantChange {
  readonly role: string
  readonly permission: string
  readonly pattern: string
}

export interface SettingChanged {
  readonly key: string
  readonly value: Json
}

/** What an emptied event is read as. `data` null: nothing of it is left. `meta` and `note` as they were where it was not erased. */
export interface StandIn {
  readonly revision: number
  /** The revision of the event that erased it; null: it says all that it said before, but not as a patch. */
  readonly erased: number | null
  readonly version: number
  readonly note: string | null
  readonly meta: JsonObject | null
  readonly data: object | null
}

/**
 * What some events of the stream said is gone. `revisions`: those that were erased by this event; `whole`: with all that the entity ever
 * was. `standIns` is of all events of the stream that were ever emptied, so that an older `Erased` event need carry nothing.
 */
export interface Erased {
  readonly revisions: readonly number[]
  readonly whole?: true
  readonly standIns: readonly StandIn[]
}

/** What an event of which nothing is left is given as: never in the log. `was`: its type. */
export interface Redacted {
  readonly was: string
}

/** Every event by type, with its payload in today's shape. */
export interface Payloads {
  PageCreated: PageCreated
  PageRevised: PageRevised
  PagePublished: PagePublished
  PublishScheduled: PublishScheduled
  ScheduleCancelled: ScheduleCancelled
  PageMoved: PageMoved
  PageDeleted: PageDeleted
  PageUndeleted: PageUndeleted
  BlobAttached: BlobAttached
  BlobDetached: BlobDetached
  RoleAssigned: RoleChange
  RoleDeassigned: RoleChange
  CredentialSet: CredentialChange
  CredentialRemoved: CredentialChange
  RolePermitted: GrantChange
  RoleDenied: GrantChange
  SettingChanged: SettingChanged
  Erased: Erased
  Redacted: Redacted
}

export type EventType = keyof Payloads

/** An event as `decide` makes it: what happened, in which stream. */
export type NewEvent<T extends EventType = EventType> = {
  [K in T]: { readonly type: K; readonly stream: string; readonly data: Payloads[K] }
}[T]

/** An event as the log gives it back. `position` is negative while the append is being prepared (see `projector/define.ts`). */
export type SiteEvent<T extends EventType = EventType> = {
  [K in T]: {
    readonly type: K
    readonly stream: string
    readonly data: Payloads[K]
    readonly revision: number
    readonly position: number
    readonly eventId: string
    readonly actor: string
    /** RFC 3339, UTC, milliseconds. */
    readonly at: string
    readonly note: string | null
  }
}[T]
