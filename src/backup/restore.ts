import { Rm3Error } from '../errors.ts'
import { renewWorkers } from '../jobs/checkpoints.ts'
import type { LogPlace, RawEvent } from '../log/raw.ts'
import { type LogHead, readHead } from '../log/read.ts'
import { isSamePlace, restoreLog } from '../log/restore.ts'
import { Wakeups } from '../log/wakeups.ts'
import { type Bulk, openBulk, type SiteDatabase } from '../pg/bulk.ts'
import { type Db, find } from '../pg/db.ts'
import { Listener } from '../pg/listen.ts'
import { migrate } from '../pg/migrate.ts'
import { rehearsable } from '../pg/rehearse.ts'
import type { Projection } from '../projector/define.ts'
import { findingText } from '../projector/finding.ts'
import { buildAll, forgetBuilt, isUnbuilt } from '../projector/unbuilt.ts'
import type { Access } from './access.ts'
import { proveFold } from './prove-fold.ts'
import { accessTakenBack } from './revoke-access.ts'

/** A secret of a credential that was in force: a password's hash with its parameters, or a token's. */
export interface Secret {
  readonly credential: string
  readonly userId: string
  readonly secret: string
  /** RFC 3339. */
  readonly created: string
}

/** A log, or the continuation of one, with what is kept beside it. */
export interface RestorePart {
  /** Position 0 and 32 zero bytes for a whole log. */
  readonly parent: LogPlace
  readonly head: LogPlace
  /**
   * Called once it is clear that the part is to be loaded. Blobs are put into their stores here, or while events are read; the last event is
   * only given, and the end reached, when the source is known to be whole.
   *
   * @returns events in any order; secrets of all credentials in force at the head
   */
  open(): Promise<{
    readonly secrets: readonly Secret[]
    readonly events: AsyncIterable<readonly RawEvent[]>
  }>
}

/** Places at which a test may kill the process. */
export type RestorePoint = 'log-written' | 'log-proved' | 'log-committed' | 'built' | 'compared'

export interface RestoreOptions {
  /** All of the site. */
  readonly projections: readonly Projection[]
  readonly allowUnsafe?: boolean
  /** Does everything up to the proof of the log, and takes it back. */
  readonly dryRun?: boolean
  /** Takes back all grants, roles and credentials that come in, behind the log as it was; secrets stay out. For the backup of somebody else. */
  readonly withoutAccess?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (step: RestoreStep, done: number, total: number) => void
  readonly reached?: ((point: RestorePoint) => void) | undefined
}

export type RestoreStep = 'proving' | 'building' | 'comparing'

export interface Restored {
  /** Events that were loaded now; 0 when a load that was interrupted only had to be finished. */
  readonly events: number
  readonly head: LogHead
  /** Who may what by what came in; null when nothing did. Of `withoutAccess` it is what was taken back. */
  readonly access: Access | null
  /** Projections that were built, and of which every row was found as it was folded. */
  readonly projections: readonly string[]
}

/**
 * Loads a log as it was into an empty site, or the continuation of its log into a site that ends where that begins, and builds all
 * projections.
 *
 * Events, secrets and head come in one transaction, in which all of it is read back, proved and folded: all or nothing. A process that is
 * killed behind that leaves a site whose projections are known to be missing: the next start, or the same load again, builds them.
 * Whoever opens the site meanwhile waits. A part that the site holds already is not loaded again.
 *
 * @throws SITE_NOT_EMPTY, also when all of it is there already; BACKUP_INCOMPLETE when what it continues is not there; BACKUP_DAMAGED; BACKUP_NEWER when an event is not known here; LOG_DAMAGED when the projections that were built differ
 * from the log; DISK_FULL, UNAVAILABLE, the reason of `signal`, what the parts throw
 */
export async function restoreSite(
  database: SiteDatabase,
  parts: Parts,
  options: RestoreOptions,
): Promise<Restored> {
  let restored: Restored | null = null
  await migrate({
    ...database,
    ...(options.allowUnsafe !== undefined && { allowUnsafe: options.allowUnsafe }),
    afterwards: async () => {
      restored = await restoreUnderLock(database, parts, options)
    },
  })
  if (restored === null) throw new Error('nothing was restored')
  return restored
}

type Parts = AsyncIterable<RestorePart> | Iterable<RestorePart>

async function restoreUnderLock(
  database: SiteDatabase,
  parts: Parts,
  options: RestoreOptions,
): Promise<Restored> {
  const { projections, reached } = options
  const bulk = await openBulk(database)
  try {
    const loaded = await loadOrTakeBack(bulk, parts, options)
    const names = projections.map(({ name }) => name)
    if (options.dryRun) return { ...loaded, projections: [] }
    reached?.('log-committed')
    const { events, head, access } = loaded
    const isWhole = events === 0 && !(await isUnbuilt(bulk.db, projections))
    if (isWhole && head.position > 0) throw heldAlready(head)
    await build(database, head.position, options)
    await tell(database, head.position)
    return { events, head, access, projections: names }
  } finally {
    await bulk.close()
  }
}

type Loaded = Omit<Restored, 'projections'>

async function loadOrTakeBack(bulk: Bulk, parts: Parts, options: RestoreOptions): Promise<Loaded> {
  return rehearsable(
    run => bulk.db.transaction(run),
    options.dryRun,
    (db: Db) => loadParts({ ...bulk, db }, parts, options),
  )
}

async function loadParts(bulk: Bulk, parts: Parts, options: RestoreOptions): Promise<Loaded> {
  const { db } = bulk
  const { position } = await readHead(db)
  let events = 0
  let access: Access | null = null
  for await (const part of parts) {
    options.signal?.throwIfAborted()
    if (await holds(db, part.head)) continue
    const { secrets, events: read } = await openAt(db, part)
    events += await restoreLog(bulk, { ...part, events: read })
    await keepSecrets(db, options.withoutAccess ? [] : secrets)
  }
  if (events > 0) {
    options.reached?.('log-written')
    access = await proveFold(bulk, options.signal, (done, total) =>
      options.onProgress?.('proving', done, total),
    )
    if (options.withoutAccess) events += await takeBack(bulk, access)
    await forgetBuilt(db)
    if (position === 0) await renewWorkers(db)
    options.reached?.('log-proved')
  }
  return { events, access, head: await readHead(db) }
}

/** @returns the number of events that it took */
async function takeBack(bulk: Bulk, access: Access): Promise<number> {
  const part = accessTakenBack(access, await readHead(bulk.db), new Date().toISOString())
  return part === null ? 0 : restoreLog(bulk, part)
}

const CHAIN_AT = `select encode(chain, 'hex') as chain from log where position = $1::bigint`

/** Whether the log is, up to a place, the one that has this place. */
async function holds(db: Db, { position, chain }: LogPlace): Promise<boolean> {
  return (await find<{ chain: string }>(db, CHAIN_AT, [position]))?.chain === chain
}

/** Opens a part when the log ends where it begins; `restoreLog` says what is wrong else. */
async function openAt(db: Db, part: RestorePart): ReturnType<RestorePart['open']> {
  const isThere = isSamePlace(await readHead(db), part.parent)
  return isThere ? part.open() : { secrets: [], events: none() }
}

async function* none(): AsyncIterable<readonly RawEvent[]> {}

const KEEP_SECRETS = `insert into credential_secrets (credential, entity_id, secret, created)
  select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[])`

/** Those of the head take the place of those that were in force before. */
async function keepSecrets(db: Db, secrets: readonly Secret[]): Promise<void> {
  await db.script('delete from credential_secrets')
  await db.rows(KEEP_SECRETS, [
    secrets.map(({ credential }) => credential),
    secrets.map(({ userId }) => userId),
    secrets.map(({ secret }) => secret),
    secrets.map(({ created }) => created),
  ])
}

function heldAlready({ position }: LogHead): Rm3Error {
  return new Rm3Error(
    'SITE_NOT_EMPTY',
    `the site holds this already: its log has ${position} events and what was to be loaded is among them`,
    { position, loaded: true },
  )
}

async function build(
  database: SiteDatabase,
  events: number,
  { projections, signal, onProgress, reached }: RestoreOptions,
): Promise<void> {
  const { findings, unnamed } = await buildAll(database, {
    ...{ projections, events, signal, onProgress },
    built: () => reached?.('built'),
  })
  const [first] = findings
  if (first !== undefined) {
    throw new Rm3Error(
      'LOG_DAMAGED',
      `the events are loaded, but the projections differ from them in ${findings.length + unnamed} places, the first: ${findingText(first)}; rm3admin verify --repair mends them`,
    )
  }
  reached?.('compared')
}

/** Processes that have the site open look at once. */
async function tell(database: SiteDatabase, position: number): Promise<void> {
  const wakeups = new Wakeups(new Listener({ ...database, restricted: false }))
  wakeups.appended(position)
  await wakeups.close()
}
