import type { Db } from '../../src/pg/db.ts'
import { type Projection, tablesOf } from '../../src/projector/define.ts'
import type { Random } from '../torture/random.ts'

/** What was done to a table behind rm3's back. */
export interface Damage {
  readonly table: string
  readonly statement: string
}

interface Column {
  readonly name: string
  readonly type: string
}

const COLUMNS = `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type from pg_attribute a
  where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum`

/** Another value than `of`, an SQL expression of a column's value that may be null. */
const OTHERS: Readonly<Record<string, (of: string) => string>> = {
  uuid: () => 'gen_random_uuid()',
  integer: of => `coalesce(${of}, 0) + 7`,
  'integer[]': of => `coalesce(${of}, '{}') || 7`,
  bigint: of => `case when ${of} > 9007199254740000 then 3 else coalesce(${of}, 0) + 7 end`,
  text: of => `coalesce(${of}, '') || 'x'`,
  boolean: of => `not coalesce(${of}, false)`,
  json: of => `json_build_object('damaged', ${of}::text)`,
  bytea: () => `'\\x00'::bytea`,
  'timestamp with time zone': of => `coalesce(${of}, now()) + interval '1 second'`,
}

/**
 * Damages one table of projections at random, in one of the ways a hand in the database could: a value, rows gone or too many, all of
 * it gone, the table, an index, a constraint or a column away.
 */
export async function damage(
  db: Db,
  projections: readonly Projection[],
  random: Random,
): Promise<Damage> {
  for (;;) {
    const table = random.pick(projections.flatMap(tablesOf))
    const columns = await db.rows<Column>(COLUMNS, [table])
    const statement = await statementFor(db, { table, columns }, random)
    if (statement !== null && (await changes(db, statement))) return { table, statement }
  }
}

/** Types of columns that `damage` cannot alter: none, or it would fail where it happens upon one. */
export async function typesLeftOut(db: Db, projections: readonly Projection[]): Promise<string[]> {
  const types = new Set<string>()
  for (const table of projections.flatMap(tablesOf)) {
    for (const { type } of await db.rows<Column>(COLUMNS, [table])) types.add(type)
  }
  return [...types].filter(type => !Object.hasOwn(OTHERS, type))
}

interface Table {
  readonly table: string
  readonly columns: readonly Column[]
}

async function statementFor(
  db: Db,
  { table, columns }: Table,
  random: Random,
): Promise<string | null> {
  const [counted] = await db.rows<{ count: number }>(`select count(*) as count from ${table}`)
  const at = `(select ctid from ${table} order by ctid offset ${random.below(Math.max(counted?.count ?? 0, 1))} limit 1)`
  const chance = random.below(100)
  const { name, type } = random.pick(columns)
  if (chance < 50)
    return `update ${table} set ${name} = ${otherThan(type, name)} where ctid = ${at}`
  if (chance < 65) return `delete from ${table} where ctid = ${at}`
  if (chance < 80) return insertion({ table, columns }, at)
  if (chance < 85) return `truncate ${table}`
  if (chance < 90) return `drop table ${table} cascade`
  if (chance < 95) return `alter table ${table} drop column ${name} cascade`
  const [index] = await db.rows<{ name: string; constraint: string | null }>(
    `select i.relname::text as name, k.conname::text as constraint from pg_index x join pg_class i on i.oid = x.indexrelid
       left join pg_constraint k on k.conindid = x.indexrelid and k.conrelid = x.indrelid
     where x.indrelid = $1::regclass order by i.relname offset $2::int limit 1`,
    [table, random.below(3)],
  )
  if (index === undefined) return null
  return index.constraint === null
    ? `drop index ${index.name}`
    : `alter table ${table} drop constraint ${index.constraint}`
}

/** A row like the one at a place but for every value, or one of such values in an empty table. */
function insertion({ table, columns }: Table, at: string): string {
  const names = columns.map(({ name }) => name).join(', ')
  const values = columns.map(({ name, type }) => otherThan(type, `l.${name}`)).join(', ')
  return `insert into ${table} (${names}) select ${values} from (values (1)) v left join ${table} l on l.ctid = ${at}`
}

function otherThan(type: string, of: string): string {
  const other = OTHERS[type]
  if (other === undefined) throw new Error(`no other value of the type ${type}`)
  return other(of)
}

/** Whether the statement can be run and does something. */
async function changes(db: Db, statement: string): Promise<boolean> {
  if (/^(?:drop|alter)/.test(statement)) {
    await db.script(statement)
    return true
  }
  try {
    const text = statement.startsWith('truncate') ? statement : `${statement} returning 1`
    const before = statement.startsWith('truncate')
      ? await db.rows(`select from ${statement.slice('truncate '.length)} limit 1`)
      : []
    const rows = await db.rows(text)
    return rows.length > 0 || before.length > 0
  } catch (thrown) {
    if (String((thrown as { code?: unknown }).code).startsWith('23')) return false
    throw thrown
  }
}
