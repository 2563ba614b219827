import type { Db } from '../pg/db.ts'
import type { Row, RowChange } from './define.ts'
import type { Target, Targets } from './target.ts'

/** Characters of JSON that go into one statement; one row may have more. */
const CHUNK_CHARS_MAX = 8 * 1024 * 1024

/**
 * Carries out changes on tables as they are, with or without indexes: what is put or dropped goes first, everywhere, and then what is put
 * comes, so that rows may change places, and columns that a table generates are computed once (`on conflict do update` computes them twice: 0.42 ms a row of search, not 0.21). No two changes are of the same row.
 */
export async function changeRows(
  db: Db,
  targets: Targets,
  changes: Iterable<RowChange>,
): Promise<void> {
  const gone = new Map<Target, Row[]>()
  const closed = new Map<Target, Row[]>()
  const put = new Map<Target, Row[]>()
  for (const { op, table, row } of changes) {
    const target = targets.get(table)
    if (target === undefined) continue
    listIn(op === 'close' ? closed : gone, target).push(row)
    if (op === 'put') listIn(put, target).push(row)
  }
  await inBatches(gone, (target, rows) => db.rows(deletion(target), [rows]))
  await inBatches(closed, (target, rows) => db.rows(closing(target), [rows]))
  await inBatches(put, (target, rows) => db.rows(insertion(target), [rows]))
}

/** Takes all rows of some streams away. */
export async function dropStreams(
  db: Db,
  targets: Targets,
  streams: readonly string[],
): Promise<void> {
  for (const { name, owner } of targets.values()) {
    if ('column' in owner) {
      await db.rows(`delete from ${name} where ${owner.column} = any($1::uuid[])`, [streams])
    } else if (streams.includes(owner.only)) {
      await db.rows(`delete from ${name}`)
    }
  }
}

function listIn(lists: Map<Target, Row[]>, target: Target): Row[] {
  const known = lists.get(target)
  if (known !== undefined) return known
  const list: Row[] = []
  lists.set(target, list)
  return list
}

async function inBatches(
  lists: ReadonlyMap<Target, readonly Row[]>,
  run: (target: Target, rows: string) => Promise<unknown>,
): Promise<void> {
  for (const [target, rows] of lists) {
    for (const chunk of chunksOf(rows)) await run(target, chunk)
  }
}

function* chunksOf(rows: readonly Row[]): Generator<string> {
  let texts: string[] = []
  let chars = 0
  for (const row of rows) {
    const text = JSON.stringify(row)
    if (texts.length > 0 && chars + text.length > CHUNK_CHARS_MAX) {
      yield `[${texts.join(',')}]`
      texts = []
      chars = 0
    }
    texts.push(text)
    chars += text.length
  }
  yield `[${texts.join(',')}]`
}

function deletion({ name, key }: Target): string {
  return `delete from ${name} t using json_populate_recordset(null::${name}, $1::json) r where ${matching(key)}`
}

function closing({ name, key }: Target): string {
  return `update ${name} t set until_position = r.until_position
    from json_populate_recordset(null::${name}, $1::json) r where ${matching(key)}`
}

function insertion({ name, columns }: Target): string {
  const list = columns.map(column => column.name).join(', ')
  return `insert into ${name} (${list}) select ${list} from json_populate_recordset(null::${name}, $1::json) r`
}

function matching(key: readonly string[]): string {
  return key.map(column => `t.${column} = r.${column}`).join(' and ')
}
