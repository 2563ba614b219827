import { listKnownBlobs } from '../../projections/blobs.ts'
import { findDeletedId } from '../../projections/page-history.ts'
import { findDeletedDraftId, findIdAtPath, findUnpublishedId } from '../../projections/pages.ts'
import { removeOldBlob } from '../blobs/collect.ts'
import type { BlobStores } from '../blobs/store.ts'
import type { JsonObject } from '../codec/json.ts'
import type { SiteEvent } from '../content/events.ts'
import { parsePath } from '../content/path.ts'
import {
  type ErasurePlan,
  planErasure,
  type ReadEvent,
  type Wanted,
} from '../content/plan-erasure.ts'
import { own } from '../content/state.ts'
import { EVENT_VERSIONS, upcast } from '../content/upcast.ts'
import { Rm3Error } from '../errors.ts'
import { type ErasableEvent, eraseInLog, readErasable } from '../log/erase.ts'
import type { LogEntry } from '../log/event.ts'
import { type Bulk, openBulk, type SiteDatabase } from '../pg/bulk.ts'
import type { Db } from '../pg/db.ts'
import { isCollision } from '../pg/sqlstate.ts'
import { dropReplaced, dropStreamAside } from '../projector/aside.ts'
import { isPerEntity, type Projection } from '../projector/define.ts'
import { rebuildProjections } from '../projector/rebuild.ts'
import { exchangeStream } from '../projector/repair.ts'
import type { Site } from './change.ts'

/** What erasing takes: the rights of the schema's owner, which no request ever has. */
export interface Eraser {
  readonly database: SiteDatabase
  readonly site: Pick<Site, 'db' | 'states' | 'now' | 'newId'>
  /** All of the site. */
  readonly projections: readonly Projection[]
  readonly stores: BlobStores
  /** Told the position of the event. */
  readonly appended: (position: number) => void
}

/** Who erases what of an entity, and why. */
export interface ErasureRequest {
  readonly entityId: string
  readonly wanted: Wanted
  readonly actor: string
  readonly door: string
  readonly reason: string | null
  /** Whether it is refused when what readers see now would go, and the page with it. Nothing stands in the way of erasing the whole. */
  readonly keepsShown: boolean
  /** When it was first done, where it is done again. */
  readonly at?: string
  /** Of the `Erased` event, where it is not a new one. */
  readonly eventId?: string
}

/** What was erased. */
export interface ErasureDone {
  readonly position: number
  readonly plan: ErasurePlan
}

const TRIES_MAX = 8
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The entity with that id, or the one that is at that path or was deleted there last. @throws PAGE_NOT_FOUND, PATH_INVALID */
export async function findErasable(db: Db, target: string): Promise<string> {
  if (UUID.test(target)) return target
  const path = parsePath(target)
  const id =
    (await findIdAtPath(db, path)) ??
    (await findUnpublishedId(db, path)) ??
    (await findDeletedId(db, path)) ??
    (await findDeletedDraftId(db, path))
  if (id === null) {
    throw new Rm3Error(
      'PAGE_NOT_FOUND',
      `no page is at ${path}, and none was deleted there; of one that was moved give the path it has now`,
      { path },
    )
  }
  return id
}

/**
 * What an erasure would come to; nothing is done.
 *
 * @returns null when all of it was erased before
 * @throws PAGE_NOT_FOUND for what is no entity, REVISION_NOT_FOUND, ERASURE_REFUSED
 */
export async function previewErasure(db: Db, request: ErasureRequest): Promise<ErasurePlan | null> {
  const { plan } = await planned(db, request, { eventId: request.entityId, at: request.at ?? '' })
  return plan
}

/**
 * Erases: in one transaction the event is appended, the events it names are emptied, and the entity's rows in all projections are
 * exchanged for those that the log has then. Blobs that nothing names any more go after that, and projections for which the order of
 * events counts are built anew.
 *
 * @returns null when all of it was erased before
 * @throws as `previewErasure`; LOG_BUSY when others wrote to the entity each time
 */
export async function erase(eraser: Eraser, request: ErasureRequest): Promise<ErasureDone | null> {
  const done = await eraseOfEntity(eraser, request)
  if (done !== null) await rebuildOrdered(eraser)
  return done
}

/** Builds anew what was made of events in their order: it is not known which rows of it are of an entity. */
export async function rebuildOrdered({ database, projections }: Eraser): Promise<void> {
  const ordered = projections.filter(projection => !isPerEntity(projection))
  if (ordered.length === 0) return
  await rebuildProjections(database, { projections: ordered, all: projections, threads: 0 })
  const bulk = await openBulk(database)
  try {
    await dropReplaced(bulk.db, ordered)
  } finally {
    await bulk.close()
  }
}

/** As `erase`, leaving what `rebuildOrdered` does. */
export async function eraseOfEntity(
  eraser: Eraser,
  request: ErasureRequest,
): Promise<ErasureDone | null> {
  const { site } = eraser
  const begun = Date.now()
  const bulk = await openBulk(eraser.database)
  try {
    const done = await tried(() => eraseOnce(bulk, eraser, request))
    if (done === null) return null
    site.states.forget(request.entityId)
    eraser.appended(done.position)
    await removeBlobs(eraser, done.plan, begun)
    return done
  } finally {
    await bulk.close()
  }
}

/** Works until nobody else was faster. */
async function tried<Result>(work: () => Promise<Result | 'again'>): Promise<Result> {
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const result = await work().catch(thrown => {
      if (tries === TRIES_MAX || !isCollision(thrown)) throw thrown
      return 'again' as const
    })
    if (result !== 'again') return result
  }
  throw new Rm3Error('LOG_BUSY', 'the page is being written to; try again')
}

async function eraseOnce(
  bulk: Bulk,
  { site, projections }: Eraser,
  request: ErasureRequest,
): Promise<ErasureDone | null | 'again'> {
  return bulk.db.transaction(db => eraseInside({ ...bulk, db }, { site, projections }, request))
}

/**
 * As `eraseOfEntity`, in a transaction of the caller's, and leaving the bytes of files.
 *
 * @param writer in the transaction, with the rights of the schema's owner
 * @returns `again` when somebody else wrote to the entity meanwhile; where the log is locked already nobody can
 */
export async function eraseInside(
  writer: Bulk,
  { site, projections }: Pick<Eraser, 'projections'> & { site: Pick<Site, 'now' | 'newId'> },
  request: ErasureRequest,
): Promise<ErasureDone | null | 'again'> {
  const { db } = writer
  const { entityId: stream, actor, reason: note } = request
  const making = { eventId: request.eventId ?? site.newId(), at: request.at ?? site.now() }
  const { plan, revision } = await planned(db, request, making)
  if (plan === null) return null
  const entry: LogEntry = {
    ...{ eventId: making.eventId, stream, revision, actor, at: making.at, note },
    type: 'Erased',
    version: EVENT_VERSIONS.Erased,
    meta: JSON.stringify({ door: request.door }),
    data: JSON.stringify(plan.data),
  }
  const position = await eraseInLog(db, entry)
  if (position === null) return 'again'
  const events = await readErasable(db, stream)
  const perEntity = projections.filter(isPerEntity)
  await exchangeStream(writer, perEntity, events)
  await dropStreamAside(db, perEntity, stream)
  return { position, plan }
}

async function planned(
  db: Db,
  { entityId, wanted, actor, reason: note, keepsShown }: ErasureRequest,
  { eventId, at }: { eventId: string; at: string },
): Promise<{ plan: ErasurePlan | null; revision: number }> {
  const events = (await readErasable(db, entityId)).map(readEventOf)
  if (events[0]?.event.type !== 'PageCreated') {
    throw new Rm3Error('PAGE_NOT_FOUND', `there is no page or user with the id ${entityId}`)
  }
  const unknown = wanted === 'whole' ? undefined : [...wanted].find(one => one > events.length)
  if (unknown !== undefined) {
    throw new Rm3Error('REVISION_NOT_FOUND', `there is no revision ${unknown} of ${entityId}`, {
      revision: unknown,
    })
  }
  const plan = planErasure(events, wanted, { stream: entityId, eventId, actor, at, note })
  if (plan !== null && keepsShown && wanted !== 'whole') demandShownKept(plan)
  return { plan, revision: events.length + 1 }
}

function demandShownKept({ before, after }: ErasurePlan): void {
  const { path } = before
  const isShown = before.state === 'live' && after.state !== 'live'
  if (isShown) {
    const revision = before.live?.revision
    const message = `revision ${revision} is what readers see at ${path}: save or publish another one first, or erase the whole page`
    throw new Rm3Error('ERASURE_REFUSED', message, { path, revision })
  }
  const file = Object.keys(before.blobs).find(name => own(after.blobs, name) === undefined)
  if (file === undefined || before.state === 'deleted') return
  const message = `${path} has the file ${file} now: take it away first, or erase the whole page`
  throw new Rm3Error('ERASURE_REFUSED', message, { path, file })
}

/** Those that no event names any more, but for bytes that were sent again since. */
async function removeBlobs(
  { site: { db }, stores }: Eraser,
  { blobs }: ErasurePlan,
  since: number,
): Promise<void> {
  const hashes = blobs.map(({ sha256 }) => sha256)
  const known = new Set(await listKnownBlobs(db, hashes))
  for (const sha256 of hashes) {
    if (known.has(sha256)) continue
    for (const store of [stores.public, stores.private]) {
      await removeOldBlob(store, sha256, Date.now() - since)
    }
  }
}

function readEventOf(row: ErasableEvent): ReadEvent {
  const { erased } = row
  return {
    event: upcast(row) satisfies SiteEvent,
    meta: row.meta === null ? null : (JSON.parse(row.meta) as JsonObject),
    isEmptied: erased !== null,
    erased: erased === 0 ? null : erased,
  }
}
