import type { Db } from './db.ts'

/** An index of a table, as it can be made anew. */
export interface TableIndex {
  readonly name: string
  /** Makes it, where it is not there. */
  readonly definition: string
  /** What it stands for, if it does. */
  readonly constraint: TableConstraint | null
}

export interface TableConstraint {
  readonly table: string
  readonly name: string
  /** What follows `add constraint …`, once the index of that name is there. */
  readonly definition: string
}

interface Found {
  readonly name: string
  readonly definition: string
  readonly kind: 'p' | 'u' | null
  readonly deferrable: boolean | null
  readonly deferred: boolean | null
}

const INDEXES = `select c.relname::text as name, pg_get_indexdef(i.indexrelid) as definition,
    k.contype::text as kind, k.condeferrable as deferrable, k.condeferred as deferred
  from pg_index i join pg_class c on c.oid = i.indexrelid
  left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = i.indrelid and k.contype in ('p', 'u', 'x')
  where i.indrelid = to_regclass($1::text) and k.contype is distinct from 'x' order by c.relname`

/**
 * Takes the indexes of a table away, with the primary key and the unique constraints: rows go in faster without, and an index is made of all
 * of them in a fraction of the time. Nobody else uses the table until the transaction ends.
 *
 * @returns them by name, to be made anew
 */
export async function takeIndexes(db: Db, table: string): Promise<TableIndex[]> {
  const found = await db.rows<Found>(INDEXES, [table])
  for (const { name, kind } of found) {
    await db.script(
      kind === null ? `drop index ${name}` : `alter table ${table} drop constraint ${name}`,
    )
  }
  return found.map(index => ({
    name: index.name,
    definition: index.definition.replace(/^create (unique )?index /i, '$&if not exists '),
    constraint: constraintOf(table, index),
  }))
}

function constraintOf(table: string, found: Found): TableConstraint | null {
  const { name, kind, deferrable, deferred } = found
  if (kind === null) return null
  const when = deferrable ? ` deferrable initially ${deferred ? 'deferred' : 'immediate'}` : ''
  const definition = `${kind === 'p' ? 'primary key' : 'unique'} using index ${name}${when}`
  return { table, name, definition }
}

/** Makes indexes that were taken away anew. @throws what the database says of rows that do not keep a constraint */
export async function makeIndexes(db: Db, indexes: readonly TableIndex[]): Promise<void> {
  for (const { definition, constraint } of indexes) {
    await db.script(definition)
    if (constraint !== null) await addConstraint(db, constraint)
  }
}

/** Makes a constraint of an index. */
export async function addConstraint(db: Db, constraint: TableConstraint): Promise<void> {
  const { table, name, definition } = constraint
  await db.script(`alter table ${table} add constraint ${name} ${definition}`)
}
