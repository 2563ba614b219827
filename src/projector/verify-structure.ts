import type { Db } from '../pg/db.ts'
import { nameTables, type Projection, tablesOf } from './define.ts'
import type { StructureFinding } from './finding.ts'

/** What the names of tables end with that are made only to be looked at. */
const CHECK = '__check'

interface Part {
  readonly table: string
  readonly kind: 'table' | 'column' | 'index' | 'constraint'
  readonly name: string
  readonly definition: string
}

const PARTS = `with tables as (select name, to_regclass(name) as id from unnest($1::text[]) as t(name))
  select t.name as table, 'table' as kind, '' as name, c.relkind::text || c.relpersistence::text as definition
  from tables t join pg_class c on c.oid = t.id
  union all
  select t.name, 'column', a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attcollation,
    a.attgenerated, a.attidentity, regexp_replace(pg_get_expr(d.adbin, d.adrelid), '''[^'']*''::regconfig', '''''::regconfig', 'g'))
  from tables t join pg_attribute a on a.attrelid = t.id and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  union all
  select t.name, 'index', i.relname, pg_get_indexdef(x.indexrelid) || ' ' || x.indisvalid
  from tables t join pg_index x on x.indrelid = t.id join pg_class i on i.oid = x.indexrelid
  union all
  select t.name, 'constraint', k.conname, pg_get_constraintdef(k.oid) || ' ' || k.convalidated
  from tables t join pg_constraint k on k.conrelid = t.id and k.contype <> 'n'`

/**
 * Compares the tables of projections with what their SQL makes: tables, columns, indexes and constraints that are missing or
 * otherwise. What is there and not in the SQL does no harm, but for columns. The language of a text search is not compared: it is that of
 * the site's setting when the table was made.
 */
export async function verifyStructure(
  db: Db,
  projections: readonly Projection[],
): Promise<StructureFinding[]> {
  const tables = projections.flatMap(tablesOf)
  const found = await foundParts(db, tables)
  const expected = await expectedParts(db, projections, tables)
  const here = new Map(found.map(part => [idOf(part), part.definition]))
  const wanted = new Set(expected.map(idOf))
  const findings: StructureFinding[] = []
  for (const projection of projections) {
    const own = new Set(tablesOf(projection))
    const gone = expected.filter(part => part.kind === 'table' && !here.has(idOf(part)))
    const isGone = (part: Part) => gone.some(({ table }) => table === part.table)
    const add = (part: Part, text: string) => {
      findings.push({ projection: projection.name, table: part.table, problem: 'structure', text })
    }
    for (const part of expected.filter(({ table }) => own.has(table))) {
      if (part.kind !== 'table' && isGone(part)) continue
      const definition = here.get(idOf(part))
      if (definition === undefined) add(part, `${titleOf(part)} is missing`)
      else if (definition !== part.definition) add(part, `${titleOf(part)} is another one`)
    }
    for (const part of found.filter(({ table, kind }) => own.has(table) && kind === 'column')) {
      if (!wanted.has(idOf(part))) add(part, `${titleOf(part)} is not the projection's`)
    }
  }
  return findings
}

const PRESENT = `select name from unnest($1::text[]) as t(name) where to_regclass(name) is not null`

/**
 * What is there. The tables are held meanwhile: the catalog is not read in one snapshot, so of a table that a rebuild swaps at that moment the
 * index would be told with the name of before and the definition of after.
 */
function foundParts(db: Db, tables: readonly string[]): Promise<Part[]> {
  return db.transaction(async inside => {
    const present = await inside.rows<{ name: string }>(PRESENT, [tables])
    const names = present.map(({ name }) => name)
    if (names.length > 0) {
      await inside.script(`lock table ${names.join(', ')} in access share mode`)
    }
    return inside.rows<Part>(PARTS, [tables])
  })
}

/** What the SQL makes, found by making it: nothing stays. */
async function expectedParts(
  db: Db,
  projections: readonly Projection[],
  tables: readonly string[],
): Promise<Part[]> {
  const made = tables.map(table => `${table}${CHECK}`)
  const unmade = new Error('unmade')
  let parts: Part[] = []
  await db
    .transaction(async inside => {
      for (const projection of projections) {
        await inside.script(nameTables(projection, projection.sql, CHECK))
      }
      parts = await inside.rows<Part>(PARTS, [made])
      throw unmade
    })
    .catch(thrown => {
      if (thrown !== unmade) throw thrown
    })
  const plain = (text: string) => text.replaceAll(CHECK, '')
  return parts.map(({ table, kind, name, definition }) => ({
    ...{ table: plain(table), kind, name: plain(name), definition: plain(definition) },
  }))
}

function idOf({ table, kind, name }: Part): string {
  return `${kind} ${table} ${name}`
}

function titleOf({ kind, name }: Part): string {
  return `the ${kind}${name === '' ? '' : ` ${name}`}`
}
