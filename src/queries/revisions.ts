import { findAccountAtPath } from '../../projections/accounts.ts'
import type { FormerPath } from '../../projections/page-history.ts'
import type { Viewer } from '../access/viewer.ts'
import { userPath } from '../commands/accounts.ts'
import type { Site } from '../commands/change.ts'
import { type Db, one } from '../pg/db.ts'
import { fieldsOf, linesOf } from '../pg/lines.ts'
import { utcInstant } from '../pg/pool.ts'
import { makeCursor, readCursor } from './cursor.ts'
import { mayReadPast, type Reader } from './reader.ts'
import { getSubject, type Subject } from './subject.ts'

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
}

/** Which revisions are listed; instants are RFC 3339 in UTC with milliseconds. */
export interface RevisionFilter {
  /** A login name, an entity id, or root, nobody, system. */
  readonly author: string | null
  readonly from: string | null
  readonly until: string | null
}

export const REVISIONS_MAX = 1_000
export const REVISIONS_DEFAULT = 50

const LINES = linesOf(
  `event_id, revision, position, type, at, actor, coalesce(meta, '{}'), to_json(note)`,
  'revision desc',
)

/** The lines of events of the stream $1, newest first. @param which conditions and limit */
function entriesOf(which: string): string {
  return `select ${LINES} as lines from (select * from log l where l.stream = $1::uuid and ${which}) e`
}

interface Lines {
  readonly lines: string | null
}

const ACCOUNT_EVENTS = `'RoleAssigned', 'RoleDeassigned', 'CredentialSet', 'CredentialRemoved'`
/** How many are asked for: one of these, so that there are few statements and each is planned for its number. */
const LIMITS = [26, 51, 101, 201, 501]

const REVISION_MAX = 2_147_483_647

/** Which revisions are wanted of the list. */
export type RevisionPart = RevisionFilter & {
  readonly limit: number
  /** `next` of the part before; null: the newest. */
  readonly after: string | null
}

/**
 * Revisions of a page, newest first: of those that were on paths whose past the reader may read. Drafts that never went live
 * are for those with `viewdraft`; what happened to an account for itself and those with `user.edit`.
 *
 * @throws PAGE_NOT_FOUND; LOGIN_REQUIRED or PERMISSION_DENIED without `history` on a path that may be viewed; CURSOR_INVALID
 */
export async function listRevisions(
  site: Site,
  reader: Reader,
  path: string,
  part: RevisionPart,
): Promise<{ items: RevisionEntry[]; next: string | null }> {
  const { viewer, subject } = await getSubject(site, reader, path)
  const { author, from, until, limit, after } = part
  const listing = { path, author, from, until }
  const before = after === null ? REVISION_MAX : Number(readCursor(listing, after, ['number'])[0])
  const values: unknown[] = [subject.id, Math.min(Math.max(before, 0), REVISION_MAX)]
  const add = (value: unknown) => `$${values.push(value)}`
  const where = ['l.revision < $2::int', ...conditions(viewer, subject, add)]
  if (author !== null) where.push(`l.actor = ${add(await actorOf(site.db, author))}::text`)
  if (from !== null) where.push(`l.at >= ${add(from)}::timestamptz`)
  if (until !== null) where.push(`l.at < ${add(until)}::timestamptz`)
  const most = LIMITS.find(candidate => candidate > limit) ?? REVISIONS_MAX + 1
  const text = entriesOf(`${where.join(' and ')} order by l.revision desc limit ${most}`)
  const entries = await readEntries(site.db, viewer, text, values)
  const items = entries.slice(0, limit)
  const revision = items.at(-1)?.revision ?? 0
  return { items, next: entries.length > limit ? makeCursor(listing, [revision]) : null }
}

/** Conditions that leave out drafts, events of the account and stretches of the past that the viewer may not see. */
function conditions(viewer: Viewer, subject: Subject, add: (value: unknown) => string): string[] {
  const where: string[] = []
  if (subject.former.length > 0) {
    const ranges = readableRanges(viewer, subject.former)
    const [low, high] = [add(ranges.map(([from]) => from)), add(ranges.map(([, until]) => until))]
    where.push(`exists (select from unnest(${low}::int[], ${high}::int[]) r(low, high)
      where l.revision >= low and l.revision < high)`)
  }
  const paths = [subject.path, ...subject.former.map(former => former.path)]
  if (!paths.every(path => viewer.may('viewdraft', path))) {
    where.push(`(l.meta->>'draft' is null or exists (
      select from published_drafts d where d.entity_id = $1::uuid and d.revision = l.revision))`)
  }
  if (viewer.userId !== subject.id && !viewer.may('user.edit', subject.path)) {
    where.push(`l.type not in (${ACCOUNT_EVENTS})`)
  }
  return where
}

const ONE = entriesOf('l.revision = $2::int')

/** One entry of that list, without asking who may read it: `findRevisionState` has. */
export async function findRevisionEntry(
  site: Site,
  viewer: Viewer,
  entityId: string,
  revision: number,
): Promise<RevisionEntry | null> {
  const [entry] = await readEntries(site.db, viewer, ONE, [entityId, revision])
  return entry ?? null
}

/** From (inclusive) and until (exclusive) which revisions the entity was on paths whose past the viewer may read. */
function readableRanges(viewer: Viewer, former: readonly FormerPath[]): [number, number][] {
  const ranges: [number, number][] = []
  let low = 0
  for (const { untilRevision: high, path } of former) {
    if (mayReadPast(viewer, [path])) ranges.push([low, high])
    low = high
  }
  ranges.push([low, REVISION_MAX])
  return ranges
}

async function readEntries(
  db: Db,
  viewer: Viewer,
  text: string,
  values: readonly unknown[],
): Promise<RevisionEntry[]> {
  const { lines } = await one<Lines>(db, text, values)
  const found = fieldsOf(lines)
  const actors = await readActors(db, viewer, new Set(found.map(fields => fields[ACTOR] ?? '')))
  return found.map(fields => entryOf(fields, actors))
}

const ACTOR = 5

function entryOf(fields: string[], actors: Map<string, Actor>): RevisionEntry {
  const [revisionId = '', revision, position, type = '', at = '', actor = '', meta = '', note] =
    fields
  const { door = null, draft = null } = JSON.parse(meta) as { door?: string; draft?: unknown }
  const { name = null, path = null } = actors.get(actor) ?? {}
  return {
    revisionId,
    revision: Number(revision),
    position: Number(position),
    type,
    at: utcInstant(at),
    actor,
    actorName: name,
    actorPath: path,
    door,
    note: note === undefined ? null : (JSON.parse(note) as string),
    draft: draft !== null,
  }
}

interface Actor {
  readonly name: string
  readonly path: string | null
}
interface ActorRow extends Actor {
  readonly id: string
  readonly path: string
}

const ACTORS = `select entity_id as id, name, path from accounts where entity_id = any($1::uuid[])`
const UUID_LENGTH = 36

/** The names of the users among actors, and the paths of those whose pages the viewer may see. */
async function readActors(
  db: Db,
  viewer: Viewer,
  actors: ReadonlySet<string>,
): Promise<Map<string, Actor>> {
  const users = [...actors].filter(actor => actor.length === UUID_LENGTH)
  const rows = users.length === 0 ? [] : await db.rows<ActorRow>(ACTORS, [users])
  return new Map(
    rows.map(({ id, name, path }) => {
      return [id, { name, path: viewer.may('view', path) ? path : null }]
    }),
  )
}

const ACTOR_ID = /^(root|nobody|system|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** What the log calls an author; a name of no one is itself, and so nobody's. */
async function actorOf(db: Db, author: string): Promise<string> {
  if (ACTOR_ID.test(author)) return author
  try {
    return (await findAccountAtPath(db, userPath(author)))?.id ?? NO_ONE
  } catch {
    return NO_ONE // not a login name at all
  }
}

const NO_ONE = '-'
