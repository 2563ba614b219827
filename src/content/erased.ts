import type { JsonObject } from '../codec/json.ts'
import type { Stored } from './document.ts'
import type { SiteEvent } from './events.ts'
import type { Entity } from './state.ts'

/** What stands for a document that was erased: empty, hidden, of the same type. */
export function erasedDocument(proto: string): Stored {
  return { proto, hidden: true, summary: {}, data: {}, tags: {} }
}

/** An entity, as `evolve` has just copied it. */
type Fresh = { -readonly [Key in keyof Entity]: Entity[Key] }

/** Which erasure made an end of what the entity says now or said last; undefined when none did. */
export function erasedBy({ live, tipErased }: Entity): number | undefined {
  return live === null ? tipErased : live.erased
}

/**
 * What an erasure leaves of an entity. Mostly what was erased is not in the state any more; where readers see it the page is as deleted,
 * and where it was a draft the newest content is what readers see.
 */
export function erase(entity: Fresh, event: SiteEvent<'Erased'>): void {
  const { whole, revisions } = event.data
  const isGone = (revision: number) => whole === true || revisions.includes(revision)
  entity.schedules = keep(entity.schedules, ({ revision }) => !isGone(revision))
  entity.blobs = keep(entity.blobs, ({ since }) => !isGone(since))
  if (whole) {
    entity.roles = {}
    entity.credentials = {}
    entity.redirect = null
  }
  const { live } = entity
  const isLiveGone = live !== null && isGone(live.revision)
  if (isGone(entity.tipRevision)) {
    if (live !== null && !isLiveGone) tipIsLive(entity, live)
    else emptyTip(entity, event.revision)
  }
  if (isLiveGone) {
    const erased = live.erased ?? event.revision
    entity.live = { ...live, document: erasedDocument(protoOf(live.document)), erased }
  }
  if (whole || isLiveGone || (live === null && isGone(entity.tipRevision))) goAway(entity, event)
}

function emptyTip(entity: Fresh, erasedBy: number): void {
  entity.tipErased ??= erasedBy
  entity.tip = erasedDocument(protoOf(entity.tip))
}

function tipIsLive(entity: Fresh, live: NonNullable<Entity['live']>): void {
  entity.tip = live.document
  entity.tipRevision = live.revision
  entity.tipId = live.revisionId
  entity.tipAuthor = live.author
  entity.tipAt = live.touched
  if (live.erased === undefined) delete entity.tipErased
  else entity.tipErased = live.erased
}

/** Readers see that it is gone; of a page that was never live they see nothing at all. */
function goAway(entity: Fresh, event: SiteEvent): void {
  entity.state = 'deleted'
  if (entity.live === null) return
  entity.since = event.revision
  entity.sinceId = event.eventId
}

function protoOf(document: Stored): string {
  return String((document as JsonObject)['proto'])
}

function keep<Value>(
  record: Readonly<Record<string, Value>>,
  isKept: (value: Value) => boolean,
): Readonly<Record<string, Value>> {
  const entries = Object.entries(record)
  const kept = entries.filter(([, value]) => isKept(value))
  return kept.length === entries.length ? record : Object.fromEntries(kept)
}
