import { type Db, find, one } from '../pg/db.ts'

/** A range of streams: some thousand events that are folded at once. */
export interface Chunk {
  readonly from: string
  /** Exclusive; null is the end. */
  readonly until: string | null
}

/** Most events of a chunk, about: a crash costs one, and each is sorted in memory. */
const CHUNK_EVENTS_MAX = 20_000
/** A short log comes in so many chunks too, for all threads to have some and the progress to be seen; smaller ones than this are not worth it. */
const CHUNKS_WANTED = 12
const CHUNK_EVENTS_MIN = 500
/** Events that are looked at to find the borders. */
const SAMPLE_EVENTS = 50_000

export const FIRST_STREAM = '00000000-0000-0000-0000-000000000000'

const BORDERS = `select distinct unnest(percentile_disc($1::float8[]) within group (order by stream))::text as stream
  from log tablesample system ($2::real) order by 1`

/** Ranges that together hold every stream there can be, with about as many events each, by a sample. */
export async function listChunks(db: Db, events: number): Promise<Chunk[]> {
  const wanted = Math.max(CHUNK_EVENTS_MIN, events / CHUNKS_WANTED)
  const count = Math.ceil(events / Math.min(CHUNK_EVENTS_MAX, wanted))
  const shares = Array.from({ length: Math.max(count - 1, 0) }, (_, n) => (n + 1) / count)
  const sample = Math.min(100, Math.max(1, (100 * SAMPLE_EVENTS) / Math.max(events, 1)))
  const rows = await db.rows<{ stream: string | null }>(BORDERS, [shares, sample])
  const borders = rows.flatMap(({ stream }) =>
    stream === null || stream === FIRST_STREAM ? [] : [stream],
  )
  return [FIRST_STREAM, ...borders].map((from, index) => ({ from, until: borders[index] ?? null }))
}

const KEEP = `insert into rebuild_chunks (chunk, from_stream, until_stream)
  select n, c.from, c.until from unnest($1::uuid[], $2::uuid[]) with ordinality as c("from", until, n)`

/** Writes the chunks of a rebuild down. */
export async function keepChunks(db: Db, chunks: readonly Chunk[]): Promise<void> {
  await db.rows('delete from rebuild_chunks')
  await db.rows(KEEP, [chunks.map(({ from }) => from), chunks.map(({ until }) => until)])
}

export interface ClaimedChunk extends Chunk {
  readonly chunk: number
}

const CLAIM = `select chunk, from_stream as "from", until_stream as until from rebuild_chunks
  where not done order by chunk limit 1 for update skip locked`

/** A chunk that nobody works on, held until the transaction ends; null when there is none. */
export async function claimChunk(db: Db): Promise<ClaimedChunk | null> {
  return find<ClaimedChunk>(db, CLAIM)
}

/** Says in the same transaction that a chunk's rows are there. */
export async function finishChunk(db: Db, chunk: number, events: number): Promise<void> {
  await db.rows(
    'update rebuild_chunks set done = true, events = $2::bigint where chunk = $1::int',
    [chunk, events],
  )
}

/** How far a load is. */
export interface Loaded {
  readonly events: number
  readonly waiting: number
}

const LOADED = `select coalesce(sum(events) filter (where done), 0)::bigint as events,
  count(*) filter (where not done) as waiting from rebuild_chunks`

export async function readLoaded(db: Db): Promise<Loaded> {
  return one<Loaded>(db, LOADED)
}
