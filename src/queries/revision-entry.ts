import type { Db } from '../pg/db.ts'
import { gathered } from '../pg/gathered.ts'
import { fieldsOf, linesOf } from '../pg/lines.ts'
import { utcInstant } from '../pg/pool.ts'

/** An event of an entity, as lists show it. */
export interface RevisionEntry {
  /** The event's id: the ETag of the revision. */
  readonly revisionId: string
  readonly revision: number
  readonly position: number
  readonly type: string
  readonly at: string
  readonly actor: string
  /** The name of the user that `actor` is; null for the others and for users who are gone. */
  readonly actorName: string | null
  /** The path of that user's page, where the reader may view it. */
  readonly actorPath: string | null
  readonly door: string | null
  readonly note: string | null
  /** Whether it is content that this event did not show to readers. */
  readonly draft: boolean
  /** Whether what it said is erased. */
  readonly erased: boolean
}

/** As JSON text, as JSON.stringify writes it in four times as long: lists have up to a thousand. */
export function entryText(entry: RevisionEntry): string {
  const { revisionId, revision, position, type, at, actor, draft, erased } = entry
  const name = textOf(entry.actorName)
  const path = textOf(entry.actorPath)
  const door = textOf(entry.door)
  // ids, instants, types and actors hold nothing that JSON would escape
  return `{"revisionId":"${revisionId}","revision":${revision},"position":${position},"type":"${type}","at":"${at}","actor":"${actor}","actorName":${name},"actorPath":${path},"door":${door},"note":${textOf(entry.note)},"draft":${draft},"erased":${erased}}`
}

function textOf(value: string | null): string {
  return value === null ? 'null' : JSON.stringify(value)
}

/** What the log itself says of it. */
export type LogEntry = Omit<RevisionEntry, 'actorName' | 'actorPath'>

/** Which events of a stream are wanted, newest first. */
export interface EntriesWanted {
  readonly stream: string
  /** Only revisions below. */
  readonly before: number
  readonly limit: number
  /** An int4multirange of revisions; null: all. */
  readonly readable: string | null
  /** Also drafts that never went live. */
  readonly drafts: boolean
  /** Also what happened to an account. */
  readonly account: boolean
  readonly actor: string | null
  /** An instant, inclusive. */
  readonly since: string | null
  /** An instant, exclusive. */
  readonly until: string | null
}

/** Nothing left out. */
export const EVERYTHING = {
  readable: null,
  drafts: true,
  account: true,
  actor: null,
  since: null,
  until: null,
} as const

const LISTS_AT_ONCE = 16
const ACCOUNT_EVENTS = `'RoleAssigned', 'RoleDeassigned', 'CredentialSet', 'CredentialRemoved'`
const LINES = linesOf(
  `event_id, revision, position, type, at, actor, coalesce(erased, 0), coalesce(meta, '{}'), to_json(note)`,
  'revision desc',
)

/**
 * Out of JSON, so that the plan is the same for all values and PostgreSQL keeps it: to plan took as long as to run. The inner limit, which
 * is never reached, has it walk the index from the newest revision on; without, it may sort all of a long stream.
 */
const ENTRIES = `select (select ${LINES} from (
      select * from (select * from events
        where stream = q.stream and revision < q.before
        order by revision desc limit q.before) l
      where (q.readable is null or l.revision <@ q.readable)
        and (q.account or l.type not in (${ACCOUNT_EVENTS}))
        and (q.actor is null or l.actor = q.actor)
        and (q.since is null or l.at >= q.since)
        and (q.until is null or l.at < q.until)
        and (q.drafts or l.meta->>'draft' is null or exists (
          select from published_drafts d where d.entity_id = q.stream and d.revision = l.revision))
      order by l.revision desc limit q.limit) e) as lines
  from rows from (json_to_recordset($1::json) as (stream uuid, before int, "limit" int, readable int4multirange,
      drafts boolean, account boolean, actor text, since timestamptz, until timestamptz))
    with ordinality as q(stream, before, "limit", readable, drafts, account, actor, since, until, number)
  order by q.number`

const findGathered = gathered(LISTS_AT_ONCE, async (db, keys) => {
  const rows = await db.rows<{ lines: string | null }>(ENTRIES, [`[${keys}]`])
  return rows.map(({ lines }) => fieldsOf(lines).map(entryOf))
})

/** Entries of a stream, newest first: one statement for all who ask at the same time, and one answer for those who want the same. */
export function findEntries(db: Db, wanted: EntriesWanted): Promise<readonly LogEntry[]> {
  return findGathered(db, JSON.stringify(wanted))
}

function entryOf(fields: string[]): LogEntry {
  const [revisionId = '', revision, position, type = '', at = '', actor = '', ...rest] = fields
  const [erased, meta = '', note] = rest
  const { door = null, draft = null } = JSON.parse(meta) as { door?: string; draft?: unknown }
  return {
    revisionId,
    revision: Number(revision),
    position: Number(position),
    type,
    at: utcInstant(at),
    actor,
    door,
    note: note === undefined ? null : (JSON.parse(note) as string),
    draft: draft !== null,
    erased: Number(erased) > 0,
  }
}
