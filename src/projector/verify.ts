import { readHead } from '../log/read.ts'
import { type Bulk, openBulk, type SiteDatabase } from '../pg/bulk.ts'
import type { Db } from '../pg/db.ts'
import { type Chunk, listChunks } from './chunks.ts'
import { isPerEntity, type OrderedProjection, type Projection } from './define.ts'
import type { Finding } from './finding.ts'
import { rebuildProjections } from './rebuild.ts'
import { repairStreams } from './repair.ts'
import { verifyOrdered } from './verify-ordered.ts'
import { type VerifiedChunk, verifyChunk } from './verify-rows.ts'
import { verifyStructure } from './verify-structure.ts'
import { verifyInThreads } from './verify-threads.ts'

export interface VerifyOptions {
  readonly projections: readonly Projection[]
  /** Those of which the rows are compared too, not only the structure; all without it. */
  readonly rowsOf?: readonly Projection[] | undefined
  /** Threads that fold, each a client of the database; 0 does it in this one, with the projections as they are given. */
  readonly threads: number
  readonly signal?: AbortSignal | undefined
  /** Told events folded and all that are to be. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

export interface Verified {
  /** Events folded. */
  readonly events: number
  /** What is not as the log has it: structure first, then rows. [] when all is well. */
  readonly findings: readonly Finding[]
  /** Rows that differ and are not among the findings: a thousand of a table and chunk are named. */
  readonly unnamed: number
  /** Projections of which nothing can be said: they are not built, or not in this version. */
  readonly skipped: readonly string[]
}

/** Compares all tables of projections with the log, while the site goes on. Nothing is changed. */
export async function verifyProjections(
  database: SiteDatabase,
  options: VerifyOptions,
): Promise<Verified> {
  const bulk = await openBulk(database)
  try {
    const installed = await listInstalled(bulk.db, options.projections)
    const skipped = options.projections.filter(projection => !installed.includes(projection))
    const structure = await verifyStructure(bulk.db, installed)
    const broken = new Set(structure.map(({ projection }) => projection))
    const wanted = options.rowsOf ?? installed
    const sound = installed.filter(it => !broken.has(it.name) && wanted.includes(it))
    const rows = await verifyRows(bulk, database, { ...options, projections: sound })
    return {
      ...rows,
      findings: [...structure, ...rows.findings],
      skipped: skipped.map(({ name }) => name),
    }
  } finally {
    await bulk.close()
  }
}

const INSTALLED = `select name, version from checkpoints where kind = 'projection'`

async function listInstalled(db: Db, projections: readonly Projection[]): Promise<Projection[]> {
  const known = await db.rows<{ name: string; version: number }>(INSTALLED)
  return projections.filter(({ name, version }) =>
    known.some(installed => installed.name === name && installed.version === version),
  )
}

async function verifyRows(
  { db }: Bulk,
  database: SiteDatabase,
  options: VerifyOptions,
): Promise<{ events: number; findings: Finding[]; unnamed: number }> {
  const { position } = await readHead(db)
  const ordered = options.projections.filter(isOrdered)
  const total = position * (1 + ordered.length)
  const findings: Finding[] = []
  let events = 0
  let unnamed = 0
  const onChunk = (verified: VerifiedChunk) => {
    events += verified.events
    unnamed += verified.unnamed
    findings.push(...verified.findings)
    options.onProgress?.(Math.min(events, total), total)
  }
  await verifyChunks(database, await listChunks(db, position), { ...options, onChunk })
  for (const projection of ordered) {
    const found = await verifyOrdered(db, projection, count => {
      onChunk({ events: count, findings: [], unnamed: 0 })
    })
    findings.push(...found)
  }
  return { events, findings, unnamed }
}

function isOrdered(projection: Projection): projection is OrderedProjection {
  return !isPerEntity(projection)
}

interface ChunksOptions extends VerifyOptions {
  readonly onChunk: (verified: VerifiedChunk) => void
}

async function verifyChunks(
  database: SiteDatabase,
  chunks: readonly Chunk[],
  options: ChunksOptions,
): Promise<void> {
  const perEntity = options.projections.filter(isPerEntity)
  if (perEntity.length === 0) return
  if (options.threads > 1 && chunks.length > 1) {
    const names = perEntity.map(({ name }) => name)
    await verifyInThreads(database, { chunks, names, ...options })
    return
  }
  const writer = await openBulk(database)
  const reader = await openBulk(database)
  try {
    for (const chunk of chunks) {
      options.signal?.throwIfAborted()
      options.onChunk(await verifyChunk({ writer, reader, projections: perEntity }, chunk))
    }
  } finally {
    await Promise.all([writer.close(), reader.close()])
  }
}

/** Streams that are repaired one by one; where more differ the projection is rebuilt. */
const REPAIRED_MAX = 1_000

export interface Repaired {
  /** Streams whose rows were exchanged. */
  readonly streams: number
  /** Projections that were rebuilt as a whole. */
  readonly rebuilt: readonly string[]
  /** Projections that would have to be rebuilt, and were not: the log has events that cannot be folded. */
  readonly unrepaired: readonly string[]
}

/**
 * Mends what `verifyProjections` found: the rows of the streams concerned, or a whole projection where its structure is damaged, more
 * differs than is named, or the order of events counts. Beside events that cannot be folded nothing is rebuilt, for that takes all of the log.
 *
 * @throws what `repairStreams` and `rebuildProjections` throw
 */
export async function repairFindings(
  database: SiteDatabase,
  { projections, threads, signal, onProgress }: VerifyOptions,
  found: Pick<Verified, 'findings' | 'unnamed'>,
): Promise<Repaired> {
  const { streams, whole } = planRepair(found)
  const due = projections.filter(({ name }) => whole.has(name))
  const isFoldable = found.findings.every(({ problem }) => problem !== 'unfoldable')
  const rebuilt = isFoldable ? due : []
  if (rebuilt.length > 0) {
    await rebuildProjections(database, {
      projections: rebuilt,
      all: projections,
      threads,
      signal,
      onProgress,
    })
  }
  const partly = projections.filter(({ name }) => streams.has(name) && !whole.has(name))
  const mended = new Set(partly.flatMap(({ name }) => [...(streams.get(name) ?? [])]))
  if (partly.length > 0) await repairPartly(database, partly, [...mended])
  return {
    streams: mended.size,
    rebuilt: rebuilt.map(({ name }) => name),
    unrepaired: isFoldable ? [] : due.map(({ name }) => name),
  }
}

interface RepairPlan {
  /** Streams whose rows are to be exchanged, by projection. */
  readonly streams: ReadonlyMap<string, ReadonlySet<string>>
  /** Projections that are to be rebuilt. */
  readonly whole: ReadonlySet<string>
}

function planRepair({ findings, unnamed }: Pick<Verified, 'findings' | 'unnamed'>): RepairPlan {
  const streams = new Map<string, Set<string>>()
  const whole = new Set<string>()
  for (const finding of findings) {
    if (finding.problem === 'unfoldable') continue
    const { projection } = finding
    if (finding.problem === 'structure' || finding.stream === null) whole.add(projection)
    else streams.set(projection, (streams.get(projection) ?? new Set()).add(finding.stream))
  }
  for (const [name, some] of streams) {
    if (unnamed > 0 || some.size > REPAIRED_MAX) whole.add(name)
  }
  return { streams, whole }
}

async function repairPartly(
  database: SiteDatabase,
  projections: readonly Projection[],
  streams: readonly string[],
): Promise<void> {
  const writer = await openBulk(database)
  const reader = await openBulk(database)
  try {
    await repairStreams({ writer, reader }, projections.filter(isPerEntity), streams)
  } finally {
    await Promise.all([writer.close(), reader.close()])
  }
}
