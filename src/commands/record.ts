import { findPageAndHead } from '../../projections/pages.ts'
import type { JsonObject } from '../codec/json.ts'
import { type Document, documentOf } from '../content/document.ts'
import type { EventType, SiteEvent } from '../content/events.ts'
import { evolve } from '../content/evolve.ts'
import type { Entity, State } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import { Rm3Error } from '../errors.ts'
import type { RecordedEvent } from '../log/event.ts'
import { readHead, readStream } from '../log/read.ts'
import type { Db } from '../pg/db.ts'
import { type AsOf, getShown } from './as-of.ts'
import { readState } from './states.ts'

/** A page as readers see it, or saw it: one JSON object, in the order of its members. */
export interface PageRecord {
  readonly path: string
  readonly entityId: string
  readonly revisionId: string
  /** The number people know the revision by. */
  readonly revisionNum: number
  readonly proto: string
  readonly hidden: boolean
  readonly created: string
  readonly modified: string
  readonly touched: string
  readonly summary: JsonObject
  readonly data: JsonObject
  readonly tags: JsonObject
  /** Position of the log that the record is as of. */
  readonly position: number
}

/** The record of the page live at a path. @throws PAGE_NOT_FOUND */
export async function getRecord(db: Db, path: string): Promise<PageRecord> {
  const { site, page } = await findPageAndHead(db, path)
  if (page === null) {
    throw new Rm3Error('PAGE_NOT_FOUND', `there is no page at ${path}`, { path })
  }
  return {
    ...{ path: page.path, entityId: page.entityId, revisionId: page.revisionId },
    ...{ revisionNum: page.number, proto: page.proto, hidden: page.hidden },
    ...{ created: page.created, modified: page.modified, touched: page.touched },
    summary: objectOf(page.summary),
    data: objectOf(page.data),
    tags: objectOf(page.tags),
    position: site.head,
  }
}

/**
 * The record of the page that was live at a path at a position, or of a revision of the page that is live there now.
 *
 * @throws PAGE_NOT_FOUND, REVISION_NOT_FOUND
 */
export async function getRecordAsOf(db: Db, path: string, asOf: AsOf): Promise<PageRecord> {
  if (asOf.type === 'revision') return recordOfRevision(db, path, asOf.revision)
  const { position } = asOf
  const shown = await getShown(db, path, position)
  const state = await readState(db, shown.entityId, shown.revision)
  if (state?.kind !== 'entity') throw new Error('a page that was shown has no events')
  const { entityId, revisionId, number, created, modified, touched } = shown
  return {
    ...{ path: shown.path, entityId, revisionId, revisionNum: number },
    ...membersOf(documentOf(state.tip), { created, modified, touched }),
    position,
  }
}

async function recordOfRevision(db: Db, path: string, revision: number): Promise<PageRecord> {
  const { entityId } = await getRecord(db, path)
  const state = revision > 0 ? await readState(db, entityId, revision) : null
  if (state?.kind !== 'entity' || state.revision !== revision) {
    throw new Rm3Error('REVISION_NOT_FOUND', `${path} has no revision ${revision}`, {
      path,
      revision,
    })
  }
  const [event] = await readStream(db, entityId, { from: revision, to: revision })
  const { tip, tipAt, created, live } = state
  const times = { created, modified: live?.modified ?? tipAt, touched: live?.touched ?? tipAt }
  return {
    ...{ path: state.path, entityId, revisionId: event?.eventId ?? '', revisionNum: revision },
    ...membersOf(documentOf(tip), times),
    position: event?.position ?? (await readHead(db)).position,
  }
}

function membersOf(
  { proto, hidden, summary, data, tags }: Document,
  times: { created: string; modified: string; touched: string },
) {
  return { proto, hidden, ...times, summary, data, tags }
}

function objectOf(text: string): JsonObject {
  return JSON.parse(text) as JsonObject
}

/** A revision of a page with all it says: `data` is the event's payload, in which content is whole (`document`), never a patch. */
export interface RevisionRecord {
  readonly revisionId: string
  readonly revision: number
  readonly position: number
  readonly type: EventType
  readonly at: string
  readonly actor: string
  readonly door: string | null
  readonly note: string | null
  readonly draft: boolean
  readonly data: JsonObject
}

/** All revisions of an entity up to a position, oldest first, with their contents. */
export async function listRevisions(
  db: Db,
  entityId: string,
  until: number,
): Promise<RevisionRecord[]> {
  const revisions: RevisionRecord[] = []
  let state: State | null = null
  for (;;) {
    const rows = await readStream(db, entityId, { from: (state?.revision ?? 0) + 1 })
    if (rows.length === 0) return revisions
    for (const row of rows) {
      if (row.position > until) return revisions
      const event = upcast(row)
      state = evolve(state, event)
      revisions.push(revisionRecord(row, event, state as Entity))
    }
  }
}

function revisionRecord(row: RecordedEvent, event: SiteEvent, after: Entity): RevisionRecord {
  const { eventId, revision, position, type, at, actor, note } = event
  const meta = JSON.parse(row.meta ?? '{}') as { door?: unknown }
  return {
    ...{ revisionId: eventId, revision, position, type, at, actor },
    door: typeof meta.door === 'string' ? meta.door : null,
    note,
    draft: 'draft' in event.data && event.data.draft === true,
    data: wholeData(event, after),
  }
}

function wholeData({ type, data }: SiteEvent, after: Entity): JsonObject {
  if (type !== 'PageRevised' && type !== 'PagePublished') return { ...data } as JsonObject
  const { patch: _, hash: __, ...rest } = data as { patch?: unknown; hash?: unknown }
  if (type === 'PagePublished') return rest as JsonObject
  return { ...rest, document: documentOf(after.tip) } as unknown as JsonObject
}
