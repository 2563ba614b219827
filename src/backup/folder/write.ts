import type { BlobStores } from '../../blobs/store.ts'
import { type Erasure, listErasures } from '../../commands/erasures.ts'
import { Rm3Error } from '../../errors.ts'
import { isErasedSince } from '../../log/erase.ts'
import { readHead } from '../../log/read.ts'
import { type Bulk, openBulk, type SiteDatabase } from '../../pg/bulk.ts'
import { type Db, find } from '../../pg/db.ts'
import { listPeople } from '../../queries/people.ts'
import { DurableFiles } from './durable-files.ts'
import { type CatalogHead, type Counts, FORMAT, FORMAT_VERSION, type Run } from './format.ts'
import { Tally } from './tally.ts'
import { dropTarget, finishTarget, openTarget, readLeft, type Target } from './target.ts'
import { writeBlobs } from './write-blobs.ts'
import { CatalogWriter, catalogHeadText } from './write-catalog.ts'
import { writeCredentials } from './write-credentials.ts'
import { type Output, writeStreams } from './write-streams.ts'

/** The site that is backed up. */
export interface BackupSource extends SiteDatabase {
  readonly stores: BlobStores
}

export interface FolderOptions {
  /** The folder, which must not be there. */
  readonly dir: string
  /** A position of the log; its end when not given. */
  readonly position?: number | undefined
  /** Only what is at that path or below it. */
  readonly path?: string | undefined
  /** Only the present. */
  readonly snapshot?: boolean
  /** Goes on with a backup that was interrupted. */
  readonly resume?: boolean
  /** Lists blobs that are not there instead of failing. */
  readonly allowIncomplete?: boolean
  /** Blobs copied at once. */
  readonly concurrency?: number
  readonly program: string
  readonly signal?: AbortSignal
  /** Told how far each step is: events read of about so many, then bytes of blobs. */
  readonly onProgress?: (step: 'history' | 'files', done: number, total: number) => void
  /** Told the step that is done: a test may end the process there. */
  readonly reached?: (step: FolderStep) => void
}

/** Between any two of them the process may die: `dir` is not there then. */
export type FolderStep = 'begun' | 'streams' | 'credentials' | 'blobs' | 'catalog' | 'named'

export interface FolderBackup {
  readonly dir: string
  readonly head: CatalogHead
  readonly counts: Counts
  readonly missingBlobs: readonly string[]
}

const CONCURRENCY = 4

/**
 * Writes a backup into a folder of its own: one position is taken once and all that the log says up to it is written, while the site goes
 * on. The folder gets its name when all of it is on disk; until then it is `dir.partial`, which stays when the work fails half way, for
 * `resume`.
 *
 * @throws TARGET_EXISTS, TARGET_IN_USE, BACKUP_INCOMPLETE when a blob is not there, LOG_DAMAGED, DISK_FULL, the reason of `signal`;
 *   ERASED when with its history it cannot be of that position any more; PAGE_NOT_FOUND when there is nothing at `path` then
 */
export async function writeBackupFolder(
  source: BackupSource,
  options: FolderOptions,
): Promise<FolderBackup> {
  const bulk = await openBulk(source)
  try {
    const startedAt = new Date().toISOString()
    const { epoch, position } = await readHead(bulk.db)
    if ((options.position ?? 0) > position) {
      throw new Rm3Error('AT_INVALID', `the log ends at position ${position}`, { position })
    }
    const target = await openTarget(options.dir, options.resume ?? false)
    const head = await headFor(bulk.db, target, options, position)
    const catalog = await CatalogWriter.begin(target, head)
    options.reached?.('begun')
    try {
      const run = { program: options.program, site: source.site, epoch, startedAt }
      return await writeAll(bulk, { source, target, head, catalog, run, options })
    } finally {
      await catalog.close()
    }
  } finally {
    await bulk.close()
  }
}

interface Work {
  readonly source: BackupSource
  readonly target: Target
  readonly head: CatalogHead
  readonly catalog: CatalogWriter
  readonly run: Omit<Run, 'endedAt' | 'checksum'>
  readonly options: FolderOptions
}

async function writeAll(bulk: Bulk, work: Work): Promise<FolderBackup> {
  const { target, head, catalog, run, options } = work
  const files = new DurableFiles(target.partial, options.resume ?? false)
  const tally = new Tally()
  const output: Output = { folder: target.partial, files, catalog, tally }
  await writeHistory(bulk, output, work)
  await demandSome(work, tally)
  options.reached?.('streams')
  await writeCredentials(bulk.db, output)
  options.reached?.('credentials')
  const missingBlobs = await copyBlobs(output, work)
  await files.settled()
  options.reached?.('blobs')
  const authors = head.path === null ? {} : await authorsOf(bulk.db, tally)
  const { scheduled, counts } = tally
  const erasures = await erasuresIn(bulk.db, head, tally)
  const endedAt = new Date().toISOString()
  await catalog.end({ missingBlobs, scheduled, erasures, authors, counts }, { ...run, endedAt })
  options.reached?.('catalog')
  await finishTarget(target)
  options.reached?.('named')
  return { dir: target.dir, head, counts, missingBlobs }
}

async function writeHistory(bulk: Bulk, output: Output, { head, options }: Work): Promise<void> {
  const { signal, onProgress = () => {} } = options
  let done = 0
  const onEvents = (count: number) => {
    done += count
    onProgress('history', done, head.position)
  }
  await writeStreams(bulk, head, output, { signal, onEvents })
  if (head.contents === 'snapshot' || !(await isErasedSince(bulk.db, head.position))) return
  throw new Rm3Error(
    'ERASED',
    `something that the log says up to position ${head.position} was erased since: a backup with history has to be of a later position`,
    { position: head.position },
  )
}

/** A path that was mistyped must not pass for a backup. */
async function demandSome({ head: { path, position }, target }: Work, tally: Tally): Promise<void> {
  if (path === null || tally.counts.entities > 0) return
  await dropTarget(target)
  const message = `there is nothing at or below ${path} as of position ${position}, so there is no backup`
  throw new Rm3Error('PAGE_NOT_FOUND', message, { path, position })
}

async function copyBlobs(output: Output, { source, options }: Work): Promise<string[]> {
  const { signal, allowIncomplete = false, concurrency = CONCURRENCY } = options
  const sizes = [...output.tally.blobs.values()].map(({ sizeBytes }) => sizeBytes)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  let done = 0
  const onBytes = (count: number) => {
    done += count
    options.onProgress?.('files', done, total)
  }
  return writeBlobs(source.stores, output, { signal, allowIncomplete, concurrency, onBytes })
}

/** What the backup is of. To go on with one that was interrupted is to take its position, when the log still has it. */
async function headFor(
  db: Db,
  target: Target,
  options: FolderOptions,
  newest: number,
): Promise<CatalogHead> {
  const left = options.resume ? await readLeft(target) : null
  const position = options.position ?? positionIn(left) ?? newest
  const head: CatalogHead = {
    format: FORMAT,
    version: FORMAT_VERSION,
    contents: options.snapshot ? 'snapshot' : 'history',
    path: options.path ?? null,
    position,
    ...(await placeAt(db, position)),
  }
  const text = catalogHeadText(head)
  // what was killed at once has a catalog that breaks off in its first lines
  if (left !== null && !left.startsWith(text) && !text.startsWith(left)) {
    const message = `${target.partial} was begun of something else: give the same options as then, or remove it`
    throw new Rm3Error('TARGET_EXISTS', message, { dir: target.partial })
  }
  return head
}

const POSITION = /^"position":(\d+),$/m

function positionIn(left: string | null): number | null {
  const digits = left === null ? undefined : POSITION.exec(left)?.[1]
  return digits === undefined ? null : Number(digits)
}

const NO_CHAIN = '0'.repeat(64)
const PLACE = `select encode(chain, 'hex') as chain, recorded_at as "recordedAt" from log where position = $1::bigint`

async function placeAt(
  db: Db,
  position: number,
): Promise<{ chain: string; recordedAt: string | null }> {
  const row = await find<{ chain: string; recordedAt: string }>(db, PLACE, [position])
  return row ?? { chain: NO_CHAIN, recordedAt: null }
}

/** Erasures of what the backup is of: they are done again where an older one is loaded. */
async function erasuresIn(
  db: Db,
  { position, path }: CatalogHead,
  tally: Tally,
): Promise<Erasure[]> {
  const all = await listErasures(db)
  return all.filter(erasure => {
    return erasure.position <= position && (path === null || tally.entities.has(erasure.entityId))
  })
}

/** Where those are who wrote in the backup's part of the site and are not in it. */
async function authorsOf(db: Db, { actors, entities }: Tally): Promise<Record<string, string>> {
  const outside = [...actors].filter(actor => !entities.has(actor)).sort()
  const people = await listPeople(db, outside)
  const known = outside.flatMap(id => {
    const person = people.get(id)
    return person === undefined ? [] : [[id, person.path] as const]
  })
  return Object.fromEntries(known)
}
