import {
  type Db,
  defineProjection,
  documentFrom,
  drop,
  type Entity,
  type Prose,
  proseOf,
  put,
  type Row,
} from 'rm3'

/**
 * The words of what readers see of every live page. How they are cut into terms follows from the setting `search.language` as it was
 * when the tables were made: build the projection anew after changing it.
 */
export default defineProjection({
  name: 'search',
  version: 1,
  mode: 'async',
  tables: { search: { column: 'entity_id' } },
  sql: `
    create table {search} (
      entity_id uuid not null primary key,
      title     text not null,
      abstract  text not null,
      body      text not null
    );
    do $$ begin
      execute format($ddl$
        alter table {search}
          add column language regconfig not null generated always as (%1$L::regconfig) stored,
          add column terms tsvector not null generated always as (
            setweight(to_tsvector(%1$L::regconfig, title), 'A')
            || setweight(to_tsvector(%1$L::regconfig, abstract), 'B')
            || setweight(to_tsvector(%1$L::regconfig, body), 'C')) stored
      $ddl$, search_language());
    end $$;
    create index {search}_terms on {search} using gin (terms);
  `,
  step: ({ before, after }) => {
    if (after.kind !== 'entity') return []
    if (after.since === (before?.kind === 'entity' ? before.since : 0)) return []
    if (after.state !== 'live' || after.live === null)
      return [drop('search', { entity_id: after.id })]
    return [put('search', rowOf(after.id, after.live))]
  },
})

/** Words are looked for when the row is written: of the many states that a rebuild goes through only the last one is. */
function rowOf(id: string, { document }: NonNullable<Entity['live']>): Row {
  let prose: Prose | undefined
  const words = () => {
    prose ??= proseOf(documentFrom(document))
    return prose
  }
  return {
    entity_id: id,
    get title() {
      return words().title
    },
    get abstract() {
      return words().abstract
    },
    get body() {
      return words().body
    },
  }
}

/** A page that was found. */
export interface Hit {
  readonly entityId: string
  readonly path: string
  readonly title: string
  readonly proto: string
  readonly modified: string
  /** The higher the better; a whole number. */
  readonly score: number
  /** Words around what was found, which stands between U+0002 and U+0003; plain text otherwise. */
  readonly snippet: string
}

/** What is searched, and where. */
export interface Search {
  /** As people write it: words, "phrases", or, -without. */
  readonly words: string
  /** Regular expressions of the paths where pages count, and where hidden ones do too; '' fits all, null none. */
  readonly viewed: string
  readonly hiddenToo: string | null
  /** Only below a path; null: everywhere. */
  readonly below: string | null
  readonly limit: number
  /** The last hit of the part before. */
  readonly after: { readonly score: number; readonly path: string } | null
}

/** Of words that more pages have, this many of these pages are ranked. */
const RANKED_MAX = 10_000
const HEADLINE = `'StartSel=' || chr(2) || ',StopSel=' || chr(3) || ',MaxFragments=2,MinWords=8,MaxWords=24,FragmentDelimiter=" … "'`

/** In the language that the table was made with; of an empty one, would be made with. */
const ASKED = `asked as materialized (
    select language, websearch_to_tsquery(language, $1::text) as query
    from (select coalesce((select language from search order by entity_id limit 1), search_language()::regconfig) as language) s
  )`

const HITS = `with ${ASKED}, matches as (
    select p.entity_id, p.path, p.title, p.proto, p.modified, a.language, a.query, (ts_rank(s.terms, a.query, 1) * 1000000)::bigint as score
    from asked a join search s on s.terms @@ a.query join pages p on p.entity_id = s.entity_id
    where p.path ~ $2::text and (not p.hidden or p.path ~ $3::text) and ($4::text is null or p.path > $4::text || '.' and p.path < $4::text || '/')
    limit ${RANKED_MAX}
  ), best as (
    select * from matches m
    where $5::bigint is null or m.score < $5::bigint or m.score = $5::bigint and m.path > $6::text
    order by m.score desc, m.path limit $7::int
  )
  select b.entity_id as "entityId", b.path, b.title, b.proto, b.modified, b.score,
    ts_headline(b.language, s.abstract || ' ' || s.body, b.query, ${HEADLINE}) as snippet
  from best b join search s on s.entity_id = b.entity_id
  order by b.score desc, b.path`

/** Live pages with some words, best first. Where a page is and who may see it is asked of the pages as they are now. */
export async function listHits(db: Db, search: Search): Promise<Hit[]> {
  const { words, viewed, hiddenToo, below, limit, after } = search
  return db.rows<Hit>(HITS, [
    ...[words, viewed, hiddenToo, below],
    ...[after?.score ?? null, after?.path ?? null, limit],
  ])
}

/** The terms of a query, any of which will do: those that must not be there are left out. */
const ANY = `regexp_replace(nullif(querytree(a.query), 'T'), '&|<->|<[0-9]+>', '|', 'g')::tsquery`
const CANDIDATES = `with ${ASKED}, terms as materialized (select ${ANY} as any from asked a),
  matches as (
    select s.entity_id, s.terms, t.any from terms t join search s on s.terms @@ t.any limit ${RANKED_MAX}
  )
  select entity_id as id from matches m order by ts_rank(m.terms, m.any, 1) desc, entity_id limit $2::int`

/** Live pages that have any of some words, best first: where to look for pages that had all of them once. */
export async function listCandidates(db: Db, words: string, limit: number): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(CANDIDATES, [words, limit])
  return rows.map(({ id }) => id)
}

const TERMS = `with ${ASKED}, terms as (select a.language, ${ANY} as any from asked a)
  select distinct unnest(array[w.word] || tsvector_to_array(v.terms)) as term
  from terms t cross join unnest($2::text[]) as w(word) cross join lateral (select to_tsvector(t.language, w.word) as terms) v
  where v.terms @@ t.any`

/** Those of some words that a search looks for, and the terms they are looked for by: neither stop words nor what must not be there. */
export async function listSought(
  db: Db,
  words: string,
  among: readonly string[],
): Promise<string[]> {
  const rows = await db.rows<{ term: string }>(TERMS, [words, among])
  return rows.map(({ term }) => term)
}

/** The words of a page at some time. */
export interface Words {
  readonly entityId: string
  readonly path: string
  readonly title: string
  readonly proto: string
  readonly modified: string
  readonly abstract: string
  readonly body: string
}

const MATCHES = `with ${ASKED}, texts as (
    select * from json_to_recordset($2::json) as r("entityId" uuid, path text, title text, proto text, modified text, abstract text, body text)
  ), found as (
    select t.*, a.language, a.query, setweight(to_tsvector(a.language, t.title), 'A')
      || setweight(to_tsvector(a.language, t.abstract), 'B') || setweight(to_tsvector(a.language, t.body), 'C') as terms
    from asked a cross join texts t
  )
  select "entityId", path, title, proto, modified, (ts_rank(terms, query, 1) * 1000000)::bigint as score,
    ts_headline(language, abstract || ' ' || body, query, ${HEADLINE}) as snippet
  from found where terms @@ query order by score desc, path collate "C"`

/** Those of some pages that have the words, as \`listHits\` finds them, best first. */
export async function listMatches(db: Db, words: string, texts: readonly Words[]): Promise<Hit[]> {
  return texts.length === 0 ? [] : db.rows<Hit>(MATCHES, [words, JSON.stringify(texts)])
}
