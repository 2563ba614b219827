import type { Target } from './target.ts'

/** SQL for a checksum of a row `t` of a table: 64 bits over all columns that are written. */
export function rowHash({ columns }: Pick<Target, 'columns'>): string {
  const values = columns.map(({ name, hashable }) => (hashable ? `t.${name}` : `t.${name}::text`))
  return `hash_record_extended(row(${values.join(', ')}), 0)`
}
