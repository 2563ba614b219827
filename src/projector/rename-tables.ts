import type { Db } from '../pg/db.ts'

/** What renames tables. */
export interface Renaming {
  readonly script: string
  /** Whether all of the tables are there. */
  readonly isWhole: boolean
}

const FOUND = `select name from unnest($1::text[]) as t(name) where to_regclass(name) is not null`

const INDEXES = `select t.name as table, i.relname::text as part from unnest($1::text[]) as t(name)
  join pg_index x on x.indrelid = to_regclass(t.name) join pg_class i on i.oid = x.indexrelid order by 1, 2`

/** Those that an index tells of are renamed with it. */
const CHECKS = `select t.name as table, k.conname::text as part from unnest($1::text[]) as t(name)
  join pg_constraint k on k.conrelid = to_regclass(t.name) and k.contype in ('c', 'f') and starts_with(k.conname, t.name) order by 1, 2`

interface Part {
  readonly table: string
  readonly part: string
}

/**
 * The script that gives projections' tables names with another suffix, and their indexes and constraints too. It locks them first; those
 * that are not there are left out.
 *
 * @param tables as the projections call them
 */
export async function renamingTables(
  db: Db,
  tables: readonly string[],
  { from, to }: { from: string; to: string },
): Promise<Renaming> {
  const names = tables.map(table => `${table}${from}`)
  const rows = await db.rows<{ name: string }>(FOUND, [names])
  const found = rows.map(({ name }) => name)
  const renamed = (name: string) => `${name.slice(0, name.length - from.length)}${to}`
  const indexes = await db.rows<Part>(INDEXES, [found])
  const checks = await db.rows<Part>(CHECKS, [found])
  const lines = [
    ...(found.length > 0 ? [`lock table ${found.join(', ')} in access exclusive mode;`] : []),
    ...indexes.map(
      ({ table, part }) =>
        `alter index "${part}" rename to "${partName(part, table, renamed(table))}";`,
    ),
    ...checks.map(
      ({ table, part }) =>
        `alter table ${table} rename constraint "${part}" to "${partName(part, table, renamed(table))}";`,
    ),
    ...found.map(name => `alter table ${name} rename to ${renamed(name)};`),
  ]
  return { script: lines.join('\n'), isWhole: found.length === names.length }
}

/** Also of an index that somebody made by hand, whose name is his. */
function partName(part: string, table: string, renamed: string): string {
  return part.startsWith(table) ? part.replace(table, renamed) : `${renamed}_${part}`
}
