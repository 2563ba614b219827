import { findAccountAtPath } from '../../projections/accounts.ts'
import type { FormerPath } from '../../projections/page-history.ts'
import { absent, type Viewer } from '../access/viewer.ts'
import { userPath } from '../commands/accounts.ts'
import type { Site } from '../commands/change.ts'
import { type Db, one } from '../pg/db.ts'
import { makeCursor, readCursor } from './cursor.ts'
import { mayReadPast, type Reader } from './reader.ts'
import {
  type EntriesWanted,
  EVERYTHING,
  findEntries,
  type LogEntry,
  type RevisionEntry,
} from './revision-entry.ts'
import { getSubject, type Subject } from './subject.ts'

/** Which revisions are listed; instants are RFC 3339 in UTC with milliseconds. */
export interface RevisionFilter {
  /** A login name, an entity id, or root, nobody, system. */
  readonly author: string | null
  readonly from: string | null
  readonly until: string | null
}

export const REVISIONS_MAX = 1_000
export const REVISIONS_DEFAULT = 50

const REVISION_MAX = 2_147_483_647

/** Which revisions are wanted of the list. */
export type RevisionPart = RevisionFilter & {
  readonly limit: number
  /** `next` of the part before; null: the newest. */
  readonly after: string | null
  /** Of the page that was there at that position, up to it; null: now. */
  readonly position: number | null
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
  const { author, from, until, limit, after, position } = part
  const { viewer, subject } = await getSubject(site, reader, path, position)
  const listing = { path, author, from, until, ...(position !== null && { position }) }
  const end = position === null ? REVISION_MAX : await endOf(site.db, subject, position)
  const before =
    after === null ? end : Math.min(end, Number(readCursor(listing, after, ['number'])[0]))
  const wanted = {
    ...visible(viewer, subject),
    before: Math.min(Math.max(before, 0), REVISION_MAX),
    limit: limit + 1,
    actor: author === null ? null : await actorOf(site.db, author),
    since: from,
    until,
  }
  const found = await findEntries(site.db, wanted)
  const items = await named(site.db, viewer, found.slice(0, limit))
  const revision = items.at(-1)?.revision ?? 0
  return { items, next: found.length > limit ? makeCursor(listing, [revision]) : null }
}

const LAST = `select revision_at($1::uuid, $2::bigint) as revision`

/** The first revision after a position. @throws PAGE_NOT_FOUND when there was none yet */
async function endOf(db: Db, { id, path }: Subject, position: number): Promise<number> {
  const { revision } = await one<{ revision: number }>(db, LAST, [id, position])
  if (revision === 0) throw absent(path)
  return revision + 1
}

/** What leaves out drafts, events of the account and stretches of the past that the viewer may not see. */
function visible(
  viewer: Viewer,
  { id, path, former }: Subject,
): Pick<EntriesWanted, 'stream' | 'readable' | 'drafts' | 'account'> {
  return {
    stream: id,
    readable: former.length === 0 ? null : readableRanges(viewer, former),
    drafts: [path, ...former.map(was => was.path)].every(at => viewer.may('viewdraft', at)),
    account: viewer.userId === id || viewer.may('user.edit', path),
  }
}

/** One entry of that list, without asking who may read it: `findRevisionState` has. */
export async function findRevisionEntry(
  site: Site,
  viewer: Viewer,
  entityId: string,
  revision: number,
): Promise<RevisionEntry | null> {
  const wanted = { ...EVERYTHING, stream: entityId, before: revision + 1, limit: 1 }
  const found = await findEntries(site.db, wanted)
  const [entry] = await named(site.db, viewer, found)
  return entry?.revision === revision ? entry : null
}

const ENTRIES_MAX = 1_000

/** Some entries of that list, newest first, without asking who may read them. @param revisions the newest 1,000 of them count */
export async function listEntries(
  db: Db,
  viewer: Viewer,
  entityId: string,
  revisions: readonly number[],
): Promise<RevisionEntry[]> {
  const ranges = revisions.map(revision => `[${revision},${revision}]`)
  const wanted = { stream: entityId, before: REVISION_MAX, limit: ENTRIES_MAX }
  return named(
    db,
    viewer,
    await findEntries(db, { ...EVERYTHING, ...wanted, readable: `{${ranges}}` }),
  )
}

/** An int4multirange of the revisions in which the entity was on paths whose past the viewer may read. */
function readableRanges(viewer: Viewer, former: readonly FormerPath[]): string {
  const ranges: string[] = []
  let low = 0
  for (const { untilRevision: high, path } of former) {
    if (mayReadPast(viewer, [path])) ranges.push(`[${low},${high})`)
    low = high
  }
  return `{${[...ranges, `[${low},)`]}}`
}

/** Entries with the names and paths of their actors. */
async function named(
  db: Db,
  viewer: Viewer,
  entries: readonly LogEntry[],
): Promise<RevisionEntry[]> {
  const actors = await readActors(db, viewer, new Set(entries.map(entry => entry.actor)))
  return entries.map(entry => {
    const { name, path } = actors.get(entry.actor) ?? NO_USER
    // not with `...entry`, which takes several times as long
    return {
      revisionId: entry.revisionId,
      revision: entry.revision,
      position: entry.position,
      type: entry.type,
      at: entry.at,
      actor: entry.actor,
      actorName: name,
      actorPath: path,
      door: entry.door,
      note: entry.note,
      draft: entry.draft,
      erased: entry.erased,
    }
  })
}

/** A user as entries name him. */
export interface Actor {
  readonly name: string | null
  readonly path: string | null
}
const NO_USER: Actor = { name: null, path: null }
interface ActorRow {
  readonly id: string
  readonly name: string
  readonly path: string
}

const ACTORS = `select entity_id as id, name, path from accounts where entity_id = any($1::uuid[])`
const UUID_LENGTH = 36

/** The names of the users among actors, and the paths of those whose pages the viewer may see. */
export async function readActors(
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
export async function actorOf(db: Db, author: string): Promise<string> {
  if (ACTOR_ID.test(author)) return author
  try {
    return (await findAccountAtPath(db, userPath(author)))?.id ?? NO_ONE
  } catch {
    return NO_ONE // not a login name at all
  }
}

/** The author of nothing. */
export const NO_ONE = '-'
