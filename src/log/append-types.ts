import type { Db } from '../pg/db.ts'
import { one } from '../pg/db.ts'
import { type RowType, rowType } from '../pg/row-types.ts'

/** A member of the type `inline_rows`: rows for one writer as an array, or what else goes along, as JSON or text. */
export interface RowsMember {
  readonly name: string
  readonly oid: number
  /** The type of one row; null where the member is no array. */
  readonly row: RowType | null
}

/** Types of the parameters of `append` as this database has them. */
export interface AppendTypes {
  /** Oid of `new_event`. */
  readonly event: number
  /** Members of `inline_rows` in their order. */
  readonly rows: readonly RowsMember[]
}

const EVENT = `select 'new_event'::regtype::oid::int as oid`

const ROWS = `select a.attname as name, a.atttypid::int as oid, e.oid::int as "rowOid", coalesce((
    select json_agg(json_build_array(b.attname, b.atttypid::int) order by b.attnum) from pg_attribute b
    where b.attrelid = e.typrelid and b.attnum > 0 and not b.attisdropped), '[]') as members
  from pg_type r
  join pg_attribute a on a.attrelid = r.typrelid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  left join pg_type e on e.oid = t.typelem
  where r.oid = 'inline_rows'::regtype
  order by a.attnum`

interface Found {
  readonly name: string
  readonly oid: number
  readonly rowOid: number | null
  readonly members: readonly (readonly [string, number])[]
}

/** Asks the database for the types: their oids are its own, and change when a projection's table gets another shape. */
export async function loadAppendTypes(db: Pick<Db, 'rows'>): Promise<AppendTypes> {
  const { oid } = await one<{ oid: number }>(db as Db, EVENT)
  const found = await db.rows<Found>(ROWS)
  const rows = found.map(({ name, oid, rowOid, members }) => ({
    ...{ name, oid },
    row: rowOid === null ? null : rowType(rowOid, members),
  }))
  return { event: oid, rows }
}
