import { listCredentials, listRoles } from '../../projections/accounts.ts'
import { listBlobs } from '../../projections/blobs.ts'
import { listGrants } from '../../projections/grants.ts'
import { findShownEntity } from '../../projections/page-history.ts'
import { findIdAtPath } from '../../projections/pages.ts'
import { hashDocument } from '../codec/json.ts'
import { documentOf } from '../content/document.ts'
import type { SiteEvent } from '../content/events.ts'
import { evolve } from '../content/evolve.ts'
import { grantKey } from '../content/evolve-site.ts'
import type { Entity, Grants, State } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import { Rm3Error } from '../errors.ts'
import type { RecordedEvent } from '../log/event.ts'
import { READ_MAX, readStream } from '../log/read.ts'
import { verifyLog } from '../log/verify.ts'
import type { Db } from '../pg/db.ts'
import type { ImportedEvent, ImportOptions } from './import.ts'

/** What was compared with the plan and found equal. */
export interface ImportProof {
  readonly streams: number
  readonly events: number
  /** Documents of revisions, by their hashes. */
  readonly documents: number
  readonly pages: number
  readonly grants: number
  readonly roles: number
  readonly credentials: number
  readonly blobs: number
}

type Counts = { -readonly [K in keyof ImportProof]: number }

/** What an event must be when it is read back. */
interface Expected {
  readonly event: Pick<SiteEvent, 'eventId' | 'type' | 'actor' | 'at' | 'note' | 'revision'>
  /** The instant at which the log took it; null when that was the log's own. */
  readonly recordedAt: string | null
  /** Hash of the document that came with it. */
  readonly hash: string | null
}

/** What is to be proved, noted while it is being written. */
export class Expectation {
  /** By stream, in order. */
  readonly streams = new Map<string, Expected[]>()
  events = 0

  /** @param event as it was meant; `recorded` as it was appended */
  add(event: ImportedEvent, recorded: SiteEvent, recordedAt: string | null): void {
    const { eventId, type, actor, at, note, revision } = recorded
    const hash = 'document' in event.data ? hashDocument(event.data.document) : null
    const expected = { event: { eventId, type, actor, at, note, revision }, recordedAt, hash }
    const known = this.streams.get(recorded.stream)
    if (known) known.push(expected)
    else this.streams.set(recorded.stream, [expected])
    this.events++
  }
}

/**
 * Reads back all that an import wrote into an empty site and compares it with what was meant: every event, every document by its hash,
 * the chain, and what the read models say of pages, grants, roles, credentials and blobs.
 *
 * @throws LOG_DAMAGED naming the first difference
 */
export async function proveImport(
  db: Db,
  expectation: Expectation,
  options: ImportOptions,
): Promise<ImportProof> {
  const counts = await proveStreams(db, expectation, options)
  const { events, fault } = await verifyLog(db)
  if (fault !== null) throw differs(`position ${fault.position}`, fault.text)
  if (events !== counts.events) throw differs('the log', `it has ${events} events`)
  return counts
}

/** As `proveImport`, where the site has other events too. @throws LOG_DAMAGED */
export async function proveStreams(
  db: Db,
  expectation: Expectation,
  { signal, onProgress = () => {} }: ImportOptions,
): Promise<ImportProof> {
  const counts: Counts = {
    ...{ streams: 0, events: 0, documents: 0, pages: 0 },
    ...{ grants: 0, roles: 0, credentials: 0, blobs: 0 },
  }
  for (const [stream, expected] of expectation.streams) {
    signal?.throwIfAborted()
    const state = await proveStream(db, stream, expected, counts)
    if (state?.kind === 'entity') await proveEntity(db, state, counts)
    if (state?.kind === 'grants') await proveGrants(db, state, counts)
    counts.streams++
    onProgress('proving', counts.events, expectation.events)
  }
  return counts
}

async function proveStream(
  db: Db,
  stream: string,
  expected: readonly Expected[],
  counts: Counts,
): Promise<State | null> {
  let state: State | null = null
  let done = 0
  for (let read = 0; ; ) {
    const rows = await readStream(db, stream, { from: read + 1 })
    for (const row of rows) {
      state = evolve(state, upcast(row))
      const wanted = expected[done]
      if (wanted?.event.revision !== row.revision) continue
      proveEvent(row, wanted)
      counts.documents += proveDocument(state, wanted.hash)
      counts.events++
      done++
    }
    read += rows.length
    if (rows.length < READ_MAX) break
  }
  if (done < expected.length) throw differs(stream, `${expected.length - done} events are missing`)
  return state
}

function proveEvent(row: RecordedEvent, { event, recordedAt }: Expected): void {
  const same =
    row.eventId === event.eventId &&
    row.type === event.type &&
    row.actor === event.actor &&
    row.at === event.at &&
    row.note === event.note &&
    (recordedAt === null || row.recordedAt === recordedAt)
  if (!same) throw differs(`position ${row.position}`, `it is not ${event.eventId} as meant`)
}

/** @returns 1 when a document came with the event, which is the one meant */
function proveDocument(state: State, hash: string | null): number {
  if (state.kind !== 'entity' || hash === null) return 0
  if (hashDocument(documentOf(state.tip)) === hash) return 1
  throw differs(`revision ${state.revision} of ${state.path}`, 'its document is another')
}

async function proveEntity(db: Db, entity: Entity, counts: Counts): Promise<void> {
  const where = `the page at ${entity.path}`
  const shown = await findShownEntity(db, entity.id)
  const isShown = shown?.state === entity.state && shown.path === entity.path
  if (entity.state !== 'draft' && !isShown) throw differs(where, 'its history is not as meant')
  if (entity.state === 'live') {
    const isLive = (await findIdAtPath(db, entity.path)) === entity.id
    if (!isLive || shown?.revision !== entity.live?.revision) throw differs(where, 'it is not live')
    counts.pages++
  }
  const roles = await listRoles(db, entity.id)
  demandSame(`the roles of ${where}`, roles, Object.keys(entity.roles))
  const credentials = await listCredentials(db, entity.id)
  const ids = credentials.map(({ credential }) => credential)
  demandSame(`the credentials of ${where}`, ids, Object.keys(entity.credentials))
  const blobs = await listBlobs(db, entity.id)
  const meant = Object.entries(entity.blobs).map(([name, { sha256 }]) => `${name} ${sha256}`)
  demandSame(
    `the blobs of ${where}`,
    blobs.map(({ name, sha256 }) => `${name} ${sha256}`),
    meant,
  )
  counts.roles += roles.length
  counts.credentials += credentials.length
  counts.blobs += blobs.length
}

async function proveGrants(db: Db, grants: Grants, counts: Counts): Promise<void> {
  const listed = await listGrants(db)
  demandSame('the grants', listed.map(grantKey), Object.keys(grants.active))
  counts.grants = listed.length
}

function demandSame(where: string, is: readonly string[], meant: readonly string[]): void {
  const same = [...is].sort().join('\n') === [...meant].sort().join('\n')
  if (!same) throw differs(where, `${is.length} are there, ${meant.length} were meant`)
}

function differs(where: string, how: string): Rm3Error {
  return new Rm3Error(
    'LOG_DAMAGED',
    `${where} is not what was to be loaded: ${how}; nothing was loaded`,
    { where },
  )
}
