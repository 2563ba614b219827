import { listCredentials, listRoles } from '../../projections/accounts.ts'
import { listBlobs } from '../../projections/blobs.ts'
import { listGrants } from '../../projections/grants.ts'
import { findShownEntity } from '../../projections/page-history.ts'
import { findIdAtPath } from '../../projections/pages.ts'
import { hashDocument } from '../codec/json.ts'
import { documentOf } from '../content/document.ts'
import { evolve, grantKey } from '../content/evolve.ts'
import type { Entity, Grants, State } from '../content/state.ts'
import { upcast } from '../content/upcast.ts'
import { Rm3Error } from '../errors.ts'
import { readStream } from '../log/read.ts'
import { verifyLog } from '../log/verify.ts'
import type { Db } from '../pg/db.ts'
import type { ImportedEvent, ImportOptions, SiteImport } from './import.ts'

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

/** What a stream must hold, in order, with the instants at which the log took the events. */
interface Expected {
  readonly event: ImportedEvent
  readonly recordedAt: string
}

/**
 * Reads back all that an import wrote and compares it with the plan: every event, every document by its hash, the chain,
 * and what the read models say of pages, grants, roles, credentials and blobs.
 *
 * @throws LOG_DAMAGED naming the first difference
 */
export async function proveImport(
  db: Db,
  plan: SiteImport,
  { signal, onProgress = () => {} }: ImportOptions,
): Promise<ImportProof> {
  const counts: Counts = {
    ...{ streams: 0, events: 0, documents: 0, pages: 0 },
    ...{ grants: 0, roles: 0, credentials: 0, blobs: 0 },
  }
  const total = plan.appends.reduce((sum, { events }) => sum + events.length, 0)
  for (const [stream, expected] of expectedStreams(plan)) {
    signal?.throwIfAborted()
    const state = await proveStream(db, stream, expected, counts)
    if (state?.kind === 'entity') await proveEntity(db, state, counts)
    if (state?.kind === 'grants') await proveGrants(db, state, counts)
    counts.streams++
    onProgress('proving', counts.events, total)
  }
  const { events, fault } = await verifyLog(db)
  if (fault !== null) throw differs(`position ${fault.position}`, fault.text)
  if (events !== counts.events) throw differs('the log', `it has ${events} events`)
  return counts
}

function expectedStreams(plan: SiteImport): Map<string, Expected[]> {
  const streams = new Map<string, Expected[]>()
  for (const { recordedAt, events } of plan.appends) {
    for (const event of events) {
      const known = streams.get(event.stream)
      if (known) known.push({ event, recordedAt })
      else streams.set(event.stream, [{ event, recordedAt }])
    }
  }
  return streams
}

async function proveStream(
  db: Db,
  stream: string,
  expected: readonly Expected[],
  counts: Counts,
): Promise<State | null> {
  let state: State | null = null
  for (let from = 0; from < expected.length; ) {
    const rows = await readStream(db, stream, { from: from + 1 })
    if (rows.length === 0) throw differs(stream, `${expected.length - from} events are missing`)
    for (const [index, row] of rows.entries()) {
      const wanted = expected[from + index]
      if (wanted === undefined) throw differs(stream, 'it has more events than were meant')
      const { event, recordedAt } = wanted
      const same =
        row.eventId === event.eventId &&
        row.type === event.type &&
        row.actor === event.actor &&
        row.at === event.at &&
        row.note === event.note &&
        row.recordedAt === recordedAt
      if (!same) throw differs(`position ${row.position}`, `it is not ${event.eventId} as meant`)
      state = evolve(state, upcast(row))
      counts.documents += proveDocument(state, event)
      counts.events++
    }
    from += rows.length
  }
  return state
}

/** @returns 1 when the event carries a document, which is the one meant */
function proveDocument(state: State, event: ImportedEvent): number {
  if (state.kind !== 'entity' || !('document' in event.data)) return 0
  if (hashDocument(documentOf(state.tip)) === hashDocument(event.data.document)) return 1
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
