import {
  changedWords,
  type Db,
  defineProjection,
  plannedAnew,
  put,
  type State,
  type Stored,
} from 'rm3'

/**
 * The words of what each change brought or took away of what readers see: hashes of those of the sentences that differ. So a sentence's
 * coming and going is found without keeping old texts a second time; whoever asks looks at the revisions themselves then.
 */
export default defineProjection({
  name: 'wordings',
  version: 1,
  mode: 'async',
  tables: { wordings: { column: 'entity_id' } },
  sql: `
    create table {wordings} (
      entity_id uuid   not null,
      revision  int    not null,
      position  bigint not null,
      words     int[]  not null,
      primary key (entity_id, revision)
    );
    create index {wordings}_words on {wordings} using gin (words);
    -- Of words that most changes have, the newest are met with soon by walking back; the planner knows which those are.
    create index {wordings}_position on {wordings} (position);
  `,
  step: ({ before, event, after }) => {
    if (after.kind !== 'entity') return []
    const [was, is] = [shownOf(before), shownOf(after)]
    if (was === is) return []
    const words = changedWords(was, is)
    if (words.length === 0) return []
    const { stream, revision, position } = event
    return [put('wordings', { entity_id: stream, revision, position, words })]
  },
})

function shownOf(state: State | null): Stored | null {
  return state?.kind === 'entity' && state.state === 'live' ? (state.live?.document ?? null) : null
}

/** Which pages: regular expressions of the paths whose past may be read ('' fits all), and a path that they are below, or null. */
export interface WordingFilter {
  /** Hashes of the words of each sentence that is looked for, at least one. */
  readonly sentences: readonly (readonly number[])[]
  readonly viewed: string
  readonly history: string
  readonly under: string | null
}

/** A page of which some change may be about what is looked for. */
export interface WordingPage {
  readonly entityId: string
  /** Where it is now, or was last, and its title there. */
  readonly path: string
  readonly title: string
  /** Of the newest such change. */
  readonly position: number
}

/** Only changes before `before`, of which `looked` are looked at. */
export interface WordingPart {
  readonly before: number
  readonly looked: number
}

/** @param first the number of the first of the parameters that the words of sentences are */
function hasWords(table: string, sentences: readonly unknown[], first: number): string {
  const some = sentences.map((_, index) => `${table}.words @> $${first + index}::int[]`)
  return `(${some.join(' or ')})`
}

/**
 * Pages with changes whose words are those of a sentence, the newest change first; of so many changes as are looked at.
 *
 * @returns `bound`: the position of the last change that was looked at; null when there are no more
 */
export async function listWordingPages(
  db: Db,
  { sentences, viewed, history, under }: WordingFilter,
  { before, looked }: WordingPart,
): Promise<{ pages: WordingPage[]; bound: number | null }> {
  const rows = await db.rows<WordingPage & { readonly isShown: boolean }>(
    plannedAnew(`select w.entity_id as "entityId", h.path, h.title, w.position,
        coalesce(h.path ~ $3::text and h.path ~ $4::text
          and ($5::text is null or h.path = $5::text or h.path > $5::text || '.' and h.path < $5::text || '/'), false)
        and not exists (select from wordings n
          where n.entity_id = w.entity_id and n.revision > w.revision and ${hasWords('n', sentences, 6)}) as "isShown"
      from (select entity_id, revision, position from wordings w
        where position < $1::bigint and ${hasWords('w', sentences, 6)} order by position desc limit $2::int) w
      left join lateral (select path, title from page_history where entity_id = w.entity_id and from_position > 0
        order by from_position desc limit 1) h on true
      order by w.position desc`),
    [before, looked, viewed, history, under, ...sentences],
  )
  const bound = rows.length < looked ? null : (rows.at(-1)?.position ?? null)
  return { pages: rows.flatMap(({ isShown, ...page }) => (isShown ? [page] : [])), bound }
}

/** A change that may be about what is looked for. */
export interface WordingChange {
  readonly entityId: string
  readonly revision: number
}

/** Such changes of some pages, the newest first within each. @param limit most of each page */
export async function listWordingChanges(
  db: Db,
  entityIds: readonly string[],
  sentences: readonly (readonly number[])[],
  limit: number,
): Promise<WordingChange[]> {
  return db.rows<WordingChange>(
    `select e.id as "entityId", w.revision from unnest($1::uuid[]) as e(id)
      cross join lateral (select w.revision from wordings w where w.entity_id = e.id and ${hasWords('w', sentences, 3)}
        order by w.revision desc limit $2::int) w`,
    [entityIds, limit, ...sentences],
  )
}

/**
 * Pages that changes after a position brought words to, or took words from: those with most of the words first, then those of the
 * earliest change. Of so many changes as are looked at, the earliest ones.
 *
 * @param hashes of words, as `hashOf` makes them
 */
export async function listRewordedAfter(
  db: Db,
  hashes: readonly number[],
  { position, looked, limit }: { position: number; looked: number; limit: number },
): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(
    plannedAnew(`select entity_id as id from (select entity_id, position, words from wordings
        where words && $1::int[] and position > $2::bigint order by position limit $3::int) w
      cross join lateral (select unnest(words) as word intersect select unnest($1::int[])) n
      group by entity_id order by count(distinct n.word) desc, min(position) limit $4::int`),
    [hashes, position, looked, limit],
  )
  return rows.map(({ id }) => id)
}
