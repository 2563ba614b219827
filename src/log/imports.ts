import type { Db } from '../pg/db.ts'

/** Something that came from elsewhere, all at once. */
export interface Import {
  /** A UUID (version 7), which also stands in `meta.importId` of its events. */
  readonly id: string
  /** Where it came from: `git`, `rm3 0.3.8`, …, or what the note of its first event says. */
  readonly source: string | null
  /** When the log took it; of one into an empty site the last instant of the original. */
  readonly recordedAt: string
  /** Of what is not erased: how many events, of how many streams, and the positions of the first and the last. */
  readonly events: number
  readonly entities: number
  readonly first: number
  readonly last: number
}

const IMPORTS = `with recursive ids(id, n) as (
  (select meta->>'importId', 1 from log where meta->>'importId' is not null and ($1::text is null or meta->>'importId' < $1::text)
   order by meta->>'importId' desc limit 1)
  union all
  select (select meta->>'importId' from log where meta->>'importId' < i.id order by meta->>'importId' desc limit 1), n + 1
  from ids i where i.id is not null and n < $2::int
)
select i.id, coalesce(f.meta#>>'{import,from}', f.note) as source, t.recorded_at as "recordedAt", c.events, c.entities, c.first, c.last
from ids i
cross join lateral (
  select count(*)::int as events, count(distinct stream)::int as entities, min(position) as first, max(position) as last
  from log where meta->>'importId' = i.id) c
join log f on f.position = c.first
join log t on t.position = c.last
where i.id is not null
order by i.id desc`

/**
 * Imports, newest first.
 *
 * @param before only those before the one with this id; null begins with the newest
 */
export async function listImports(
  db: Db,
  part: { before: string | null; limit: number },
): Promise<Import[]> {
  return db.rows<Import>(IMPORTS, [part.before, part.limit])
}
