import { type Bulk, openBulk, type SiteDatabase } from '../pg/bulk.ts'
import { type Db, find, one } from '../pg/db.ts'
import { FIRST_STREAM } from './chunks.ts'
import { isPerEntity, type Projection } from './define.ts'
import type { Finding } from './finding.ts'
import { verifyChunk } from './verify-rows.ts'
import { verifyStructure } from './verify-structure.ts'

/** How long a round over everything takes. */
const ROUND_MS = 7 * 24 * 60 * 60_000
/** Streams of a slice, and how long one call goes on slice by slice. */
const SLICE_STREAMS = 1_000
const CALL_MS = 20_000
/** Findings that are kept of a round; the others are only counted. */
const FINDINGS_MAX = 100

export interface ScrubOptions {
  readonly url: string
  readonly site: string
  readonly projections: readonly Projection[]
  readonly signal?: AbortSignal
}

/** What one call did. */
export interface ScrubReport {
  /** Events folded, and differences found in this call. */
  readonly events: number
  readonly differences: number
  /** Whether this call ended a round. */
  readonly roundDone: boolean
  /** When the round that is under way began, or the next one begins. */
  readonly roundStarted: string
}

/**
 * Compares the next part of the projections' rows with the log: as much as is due for a round to take a week, and for no longer than
 * about twenty seconds, so call it every few minutes. What is found is kept in the table `scrubs`, and nothing is changed.
 */
export async function scrubSlice(options: ScrubOptions): Promise<ScrubReport> {
  const database: SiteDatabase = { url: options.url, site: options.site }
  const writer = await openBulk(database)
  const reader = await openBulk(database)
  try {
    return await scrub({ writer, reader }, options)
  } finally {
    await Promise.all([writer.close(), reader.close()])
  }
}

interface ScrubRow {
  readonly roundStarted: string
  readonly nextStream: string
  /** From 0 to 1, how much of a round's time has passed. */
  readonly share: number
}

const BEGIN = 'insert into scrubs default values on conflict do nothing'
const ROW = `select round_started as "roundStarted", next_stream as "nextStream",
  extract(epoch from now() - round_started)::float8 * 1000 / ${ROUND_MS} as share from scrubs`

async function scrub(
  bulks: { writer: Bulk; reader: Bulk },
  options: ScrubOptions,
): Promise<ScrubReport> {
  const { db } = bulks.writer
  const until = performance.now() + CALL_MS
  await db.rows(BEGIN)
  let report = { events: 0, differences: 0, roundDone: false }
  for (;;) {
    const row = await one<ScrubRow>(db, ROW)
    const isDue = row.share >= 1 || (await placeOf(db, row.nextStream)) < row.share
    const goesOn = isDue && !report.roundDone && performance.now() < until
    if (!goesOn || options.signal?.aborted) return { ...report, roundStarted: row.roundStarted }
    const slice = await scrubStreams(bulks, options.projections, row)
    report = {
      events: report.events + slice.events,
      differences: report.differences + slice.differences,
      roundDone: slice.roundDone,
    }
  }
}

const PLACE = `select (select count(*) from log where revision = 1 and stream < $1::uuid)::float8
  / greatest(count(*), 1) as place from log where revision = 1`

/** How much of all streams is behind one, from 0 to 1. */
async function placeOf(db: Db, stream: string): Promise<number> {
  const { place } = await one<{ place: number }>(db, PLACE, [stream])
  return place
}

const NEXT = `select stream as next from log where stream >= $1::uuid and revision = 1 order by stream offset $2::int limit 1`

async function scrubStreams(
  bulks: { writer: Bulk; reader: Bulk },
  projections: readonly Projection[],
  { nextStream }: ScrubRow,
): Promise<Omit<ScrubReport, 'roundStarted'>> {
  const { db } = bulks.writer
  const end = await find<{ next: string }>(db, NEXT, [nextStream, SLICE_STREAMS])
  const until = end?.next ?? null
  const structure = nextStream === FIRST_STREAM ? await verifyStructure(db, projections) : []
  const broken = new Set(structure.map(({ projection }) => projection))
  const sound = projections.filter(isPerEntity).filter(({ name }) => !broken.has(name))
  const verified = await verifyChunk({ ...bulks, projections: sound }, { from: nextStream, until })
  const findings: Finding[] = [...structure, ...verified.findings]
  const differences = findings.length + verified.unnamed
  await keep(db, { findings, differences, events: verified.events, next: until })
  return { events: verified.events, differences, roundDone: until === null }
}

const KEEP = `update scrubs set next_stream = $1::uuid, events = events + $2::bigint, differences = differences + $3::bigint,
  findings = $4::json, updated = now()`
/** A small site's round is over soon; the next one begins when it would have been. */
const END = `update scrubs set last_round = json_build_object('started', round_started, 'ended', now(), 'events', events,
    'differences', differences, 'findings', findings),
  round_started = greatest(now(), round_started + ${ROUND_MS} * interval '1 ms'), next_stream = '${FIRST_STREAM}', events = 0, differences = 0, findings = '[]'`

async function keep(
  db: Db,
  slice: { findings: Finding[]; differences: number; events: number; next: string | null },
): Promise<void> {
  const { findings, differences, events, next } = slice
  await db.transaction(async inside => {
    const known = await one<{ findings: Finding[] }>(
      inside,
      'select findings from scrubs for update',
    )
    const kept = [...known.findings, ...findings].slice(0, FINDINGS_MAX)
    await inside.rows(KEEP, [next ?? FIRST_STREAM, events, differences, JSON.stringify(kept)])
    if (next === null) await inside.rows(END)
  })
}

/** How the comparison of everything with the log goes. */
export interface ScrubStatus {
  readonly roundStarted: string
  readonly events: number
  readonly differences: number
  readonly findings: readonly Finding[]
  /** The last whole round; null before its end. */
  readonly lastRound: {
    readonly started: string
    readonly ended: string
    readonly events: number
    readonly differences: number
    readonly findings: readonly Finding[]
  } | null
}

const STATUS = `select round_started as "roundStarted", events, differences, findings, last_round as "lastRound" from scrubs`

/** What the scrub found; null when it never ran. */
export async function findScrub(db: Db): Promise<ScrubStatus | null> {
  return find<ScrubStatus>(db, STATUS)
}
