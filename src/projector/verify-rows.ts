import type { Rm3Error } from '../errors.ts'
import { copyStreams } from '../log/copy.ts'
import type { Bulk } from '../pg/bulk.ts'
import { type Db, one } from '../pg/db.ts'
import type { Chunk } from './chunks.ts'
import type { EntityProjection } from './define.ts'
import { type Finding, logFinding, type RowFinding } from './finding.ts'
import { type FoldGroup, type FoldSink, foldStreams } from './fold-streams.ts'
import { rowHash } from './row-hash.ts'
import { RowSink } from './row-sink.ts'
import { withoutSkipped } from './skipped.ts'
import { beginSnapshot, besideSnapshot } from './snapshot.ts'
import { keysInStream, loadTargets, type Shape, type Target, type Targets } from './target.ts'

/** What the names of temporary tables end with that hold what the log says. */
export const EXPECTED = '__expected'

/** Rows of one table and chunk that are named; the others are only counted. */
const NAMED_MAX = 1_000

export interface VerifiedChunk {
  readonly events: number
  readonly findings: readonly Finding[]
  /** Rows that differ beyond those that are named. */
  readonly unnamed: number
}

/** Two connections, and the projections whose tables are as they should be. */
export interface Verifying {
  readonly writer: Bulk
  readonly reader: Bulk
  readonly projections: readonly EntityProjection[]
}

/**
 * Compares the rows of all streams in a range with the log, in one snapshot: both are of the same instant, so nothing that is written
 * meanwhile can be taken for a difference.
 *
 * The streams are folded into temporary tables; checksums over each table's part tell whether it is the same, and only where they
 * differ rows are compared. Nothing is said of rows of a stream that cannot be folded, but that.
 */
export async function verifyChunk(verifying: Verifying, chunk: Chunk): Promise<VerifiedChunk> {
  const { writer, reader, projections } = verifying
  return writer.db.transaction(async db => {
    await beginSnapshot(
      db,
      projections.flatMap(({ tables }) => Object.keys(tables)),
    )
    const live = await loadTargets(db, projections, '')
    const groups = await groupsOf(db, await withoutSkipped(db, projections), keysInStream(live))
    const expected = await makeExpected(db, live)
    let events = 0
    const damaged = new Map<string, Rm3Error>()
    await besideSnapshot(db, reader.db, async () => {
      const position = Math.max(...groups.map(({ until }) => until))
      const rows = new RowSink({ ...writer, db }, expected)
      const sink: FoldSink = {
        add: some => rows.add(some),
        change: some => rows.change(some),
        damaged: (stream, thrown) => damaged.set(stream, thrown),
      }
      await foldStreams(copyStreams(reader, { ...chunk, position }), groups, sink, count => {
        events += count
      })
      await rows.flush()
    })
    const compared = await compareAll(db, { projections, live, expected, damaged }, chunk)
    const unfoldable = [...damaged].map(([stream, thrown]) => logFinding(thrown, stream))
    const findings = [...unfoldable, ...compared.findings]
    return { events, findings, unnamed: compared.unnamed }
  })
}

const POSITIONS = `select name, position, (select position from log_head) as head from checkpoints where kind = 'projection'`

/** Each projection up to where its rows are. */
async function groupsOf(
  db: Db,
  projections: readonly EntityProjection[],
  keys: ReadonlyMap<string, readonly string[]>,
): Promise<FoldGroup[]> {
  const rows = await db.rows<{ name: string; position: number; head: number }>(POSITIONS)
  const byUntil = new Map<number, EntityProjection[]>()
  for (const projection of projections) {
    const row = rows.find(({ name }) => name === projection.name)
    const until = projection.mode === 'inline' ? (rows[0]?.head ?? 0) : (row?.position ?? 0)
    byUntil.set(until, [...(byUntil.get(until) ?? []), projection])
  }
  return [...byUntil].map(([until, some]) => ({ projections: some, keys, until }))
}

/** Empty temporary tables with the columns of the live ones that are written. */
export async function makeExpected(db: Db, live: Targets): Promise<Targets> {
  const expected = new Map<string, Target>()
  for (const [table, target] of live) {
    const name = `${table}${EXPECTED}`
    const columns = target.columns.map(column => column.name).join(', ')
    await db.script(
      `create temporary table ${name} on commit drop as select ${columns} from ${target.name} with no data`,
    )
    expected.set(table, { ...target, name })
  }
  return expected
}

/** Takes them away before the transaction ends, so that there can be others in it. */
export async function dropExpected(db: Db, expected: Targets): Promise<void> {
  const names = [...expected.values()].map(({ name }) => `pg_temp.${name}`)
  if (names.length > 0) await db.script(`drop table ${names.join(', ')}`)
}

interface Compared {
  readonly projections: readonly EntityProjection[]
  readonly live: Targets
  readonly expected: Targets
  /** Streams that could not be folded. */
  readonly damaged: ReadonlyMap<string, Rm3Error>
}

async function compareAll(
  db: Db,
  { projections, live, expected, damaged }: Compared,
  chunk: Chunk,
): Promise<{ findings: RowFinding[]; unnamed: number }> {
  const findings: RowFinding[] = []
  let unnamed = 0
  for (const projection of projections) {
    for (const table of Object.keys(projection.tables)) {
      const pair = { live: live.get(table), expected: expected.get(table) }
      if (pair.live === undefined || pair.expected === undefined) continue
      if (!holdsOwner(pair.live, chunk)) continue
      const part = partOfChunk(pair.live, chunk)
      const rows = await compareTable(db, { live: pair.live, expected: pair.expected }, part)
      const found = rows.filter(({ stream }) => !damaged.has(stream ?? ''))
      findings.push(
        ...found.slice(0, NAMED_MAX).map(row => ({ projection: projection.name, table, ...row })),
      )
      unnamed += Math.max(found.length - NAMED_MAX, 0)
    }
  }
  return { findings, unnamed }
}

function holdsOwner({ owner }: Target, { from, until }: Chunk): boolean {
  return 'column' in owner || (owner.only >= from && (until === null || owner.only < until))
}

/** The condition for rows `t` of the live table that belong to streams of a chunk. */
function partOfChunk(
  { owner }: Target,
  { from, until }: Chunk,
): { where: string; values: string[] } {
  if (!('column' in owner)) return { where: 'true', values: [] }
  const column = `t.${owner.column}`
  if (until === null) return { where: `${column} >= $1::uuid`, values: [from] }
  return { where: `${column} >= $1::uuid and ${column} < $2::uuid`, values: [from, until] }
}

type Row = Omit<RowFinding, 'projection' | 'table'>
/** What a comparison has to know; without an owner rows belong to no stream. */
type Comparable = Shape & { readonly owner?: Target['owner'] }

/** @param part of the live table; the expected one has nothing else */
export async function compareTable(
  db: Db,
  { live, expected }: { live: Comparable; expected: Comparable },
  part: { where: string; values: readonly unknown[] },
): Promise<Row[]> {
  const { where, values } = part
  const sum = `select count(*) as rows, coalesce(bit_xor(${rowHash(live)}), 0)::text as hash from`
  const found = await one<Sum>(db, `${sum} ${live.name} t where ${where}`, values)
  const wanted = await one<Sum>(db, `${sum} ${expected.name} t`)
  if (found.rows === wanted.rows && found.hash === wanted.hash) return []
  return db.rows<Row>(differing({ live, expected }, where), values)
}

interface Sum {
  readonly rows: number
  readonly hash: string
}

function differing(
  { live, expected }: { live: Comparable; expected: Comparable },
  where: string,
): string {
  const { key, columns, owner } = live
  const hash = rowHash(live)
  const keys = key.map(column => `'${column}', coalesce(e.${column}, l.${column})`).join(', ')
  const rest = columns.filter(({ name }) => !key.includes(name))
  const values = rest.map(({ name }) => `('${name}', e.${name}::text, l.${name}::text)`).join(', ')
  const differences = `select json_agg(json_build_object('column', c.name, 'expected', c.expected, 'found', c.found))
    from (values ${values}) c(name, expected, found) where c.expected is distinct from c.found`
  const stream = streamOf(owner)
  const both = `e.${key[0]} is not null and l.${key[0]} is not null`
  return `select json_build_object(${keys}) as key, ${stream} as stream,
      case when l.${key[0]} is null then 'missing' when e.${key[0]} is null then 'extra' else 'differs' end as problem,
      coalesce((${rest.length === 0 ? 'null::json' : `case when ${both} then (${differences}) end`}), '[]') as columns
    from (select t.*, ${hash} as row_hash from ${live.name} t where ${where}) l
    full join (select t.*, ${hash} as row_hash from ${expected.name} t) e on ${key.map(column => `l.${column} = e.${column}`).join(' and ')}
    where l.row_hash is distinct from e.row_hash`
}

function streamOf(owner: Comparable['owner']): string {
  if (owner === undefined) return 'null::uuid'
  return 'column' in owner
    ? `coalesce(e.${owner.column}, l.${owner.column})`
    : `'${owner.only}'::uuid`
}
