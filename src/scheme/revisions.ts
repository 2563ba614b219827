import type { Html } from './html.ts'
import { personLink, timeTag } from './links.ts'
import { type Moment, momentOf } from './moments.ts'
import type { RevisionEntry, RevisionNotice, RevisionState } from './views.ts'

/** A revision as templates show it. */
export type ShownRevision = Omit<RevisionEntry, 'at' | 'door' | 'author'> & {
  readonly at: Moment
  /** The time of day. */
  readonly when: Html
  readonly author: Html
  /** What was done: `changed`, `moved`. */
  readonly deed: string
  /** Live or draft; null for neither. */
  readonly badge: string | null
  /** How it came in; null for the ordinary way. */
  readonly door: string | null
}

const DEEDS: Readonly<Record<string, string>> = {
  PageCreated: 'created',
  PageRevised: 'changed',
  PagePublished: 'made live',
  PublishScheduled: 'scheduled',
  ScheduleCancelled: 'schedule ended',
  PageMoved: 'moved',
  PageDeleted: 'deleted',
  PageUndeleted: 'brought back',
  BlobAttached: 'file added',
  BlobDetached: 'file removed',
  RoleAssigned: 'role given',
  RoleDeassigned: 'role taken away',
  CredentialSet: 'way to log in set',
  CredentialRemoved: 'way to log in removed',
  Erased: 'erased',
  RolePermitted: 'right given',
  RoleDenied: 'right taken away',
  SettingChanged: 'setting changed',
}
const DOORS: Readonly<Record<string, string>> = {
  api: 'through the API',
  cli: 'on the command line',
  import: 'imported',
  worker: 'by a worker',
}
const BADGES: Readonly<Record<RevisionState, string | null>> = {
  live: 'Live',
  draft: 'Draft',
  past: null,
  event: null,
  erased: 'Erased',
}

/** @returns what the history and the comparison show of `entry` */
export function showRevision(entry: RevisionEntry, zone: string): ShownRevision {
  const at = momentOf(entry.at, zone)
  return {
    ...entry,
    at,
    when: timeTag(at, 'time'),
    author: personLink(entry.author),
    deed: deedOf(entry.type),
    badge: BADGES[entry.state],
    door: Object.hasOwn(DOORS, entry.door) ? (DOORS[entry.door] ?? null) : null,
  }
}

/** What an event of a type did, in words. */
export function deedOf(type: string): string {
  return Object.hasOwn(DEEDS, type) ? (DEEDS[type] ?? '') : type
}

/** The banner above a page that shows one revision. */
export function noticeContext(notice: RevisionNotice, zone: string): object {
  return {
    ...notice,
    title: `Revision ${notice.revision}`,
    at: timeTag(momentOf(notice.at, zone), 'full'),
    author: notice.author && personLink(notice.author),
  }
}
