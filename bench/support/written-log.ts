import { poolDb } from '../../src/pg/db.ts'
import { openPool } from '../../src/pg/pool.ts'

const WORDS =
  'page text line word river stone paper light garden winter summer morning evening letter number story'

/**
 * Writes a log of pages past the append, fast: a thousand pages are made, then each of them is edited by one line, again and again, then
 * the next thousand. About 1.5 KB of text a page. No projection knows of it; hashes are not right.
 *
 * @param together how many pages have their revisions in turn; as many as `pages`: all first revisions, then all second ones
 */
export async function writeLog(
  url: string,
  site: string,
  { pages, revisions, together = 1_000 }: { pages: number; revisions: number; together?: number },
): Promise<void> {
  const pool = openPool({
    ...{ url, site, restricted: false, connectionsMax: 1 },
    statementTimeoutMs: 120_000,
  })
  const db = poolDb(pool)
  await db.script(`
    set synchronous_commit = off;
    create temp table words as select string_to_array('${WORDS}', ' ') as w;
    create function pg_temp.line(seed bigint) returns text language sql immutable as $$
      select string_agg(w[1 + mod(abs(hashint8(seed * 31 + i)), array_length(w, 1))], ' ') from words, generate_series(1, 14) i
    $$;
    create temp table planned as
      select n, n / ${together * revisions} * ${together} + n % ${together} as page, n / ${together} % ${revisions} as turn
      from generate_series(0, ${pages * revisions - 1}) n;
    create temp table sources as select page, (select string_agg(pg_temp.line(page * 100 + i)
        || case when i % 6 = 0 then ' [on](/p' || (page + i) % ${pages} || '/)' else '' end, E'.\\n') from generate_series(1, 18) i) as source
      from generate_series(0, ${pages - 1}) page;
    insert into log (position, at, recorded_at, event_id, stream, revision, version, type, actor, note, meta, data, salt, body_hash, chain)
    select n + 1, now(), now(), gen_random_uuid(), md5('p' || page)::uuid, turn + 1, 1,
      case when turn = 0 then 'PageCreated' else 'PageRevised' end, 'root', null, '{"door":"import"}',
      case when turn = 0 then json_build_object('path', 'wh.p' || page, 'document', json_build_object('proto', 'base', 'hidden', false,
        'summary', json_build_object('title', 'Page ' || page, 'abstract', left(source, 90)),
        'data', json_build_object('posting', json_build_object('format', 'markdown', 'source', source)), 'tags', json_build_object()))
      else json_build_object('base', turn, 'hash', '', 'patch', json_build_array(json_build_object('op', 'replace',
        'path', '/data/posting/source/$text/' || turn, 'value', left(source, 80) || n || E'.\\n'))) end,
      '\\x00', sha256(''), sha256('')
    from planned join sources using (page) order by n;
    update log_head set position = ${pages * revisions}, recorded_at = now();
    analyze log;
  `)
  await db.script('vacuum log')
  await db.script('checkpoint')
  await pool.end()
}
