import type { Viewer } from '../../access/viewer.ts'
import type { ChangeSize } from '../../codec/change-size.ts'
import type { Site } from '../../commands/change.ts'
import type { Db } from '../../pg/db.ts'
import { makeCursor } from '../../queries/cursor.ts'
import { mayReadPast } from '../../queries/reader.ts'
import type { RevisionEntry } from '../../queries/revision-entry.ts'
import { listRevisions, type RevisionFilter } from '../../queries/revisions.ts'
import type { RevisionState, RevisionEntry as ShownEntry } from '../../scheme/views.ts'
import { actorPerson } from './around.ts'
import { restoreUrl, type Scene, urlIn, urlOfRevision, viewUrl } from './scene.ts'

const CONTENT = new Set(['PageCreated', 'PageRevised'])
/** Events without content that may stand between two revisions with content before neither finds the other. */
const BESIDE_MAX = 30

/** Whether an event says what the page says, and was not erased. */
export function isContent(entry: RevisionEntry): boolean {
  return CONTENT.has(entry.type) && !entry.erased
}

const ALL: RevisionFilter = { author: null, from: null, until: null }

/** Revisions of a page before one (exclusive; null: from the newest), newest first, as the viewer may see them. */
export async function listBefore(
  site: Site,
  viewer: Viewer,
  path: string,
  {
    before,
    limit,
    filter = ALL,
  }: { before: number | null; limit: number; filter?: RevisionFilter },
): Promise<RevisionEntry[]> {
  const after = before === null ? null : makeCursor({ path, ...filter }, [before])
  const { items } = await listRevisions(site, viewer, path, {
    ...filter,
    limit,
    after,
    position: null,
  })
  return items
}

/** The revisions with content next to some: the last before `low` and the first after `high`; null where there is none near. */
export async function contentBeside(
  { pages: { site }, viewer, path }: Scene,
  { low, high }: { low: number; high: number },
): Promise<{ before: number | null; after: number | null }> {
  const [older, newer] = await Promise.all([
    listBefore(site, viewer, path, { before: low, limit: BESIDE_MAX }),
    listBefore(site, viewer, path, { before: high + BESIDE_MAX + 1, limit: BESIDE_MAX }),
  ])
  const before = older.find(isContent)?.revision ?? null
  const after = newer.filter(entry => isContent(entry) && entry.revision > high).at(-1)
  return { before, after: after?.revision ?? null }
}

/** What is told of an event besides its type. */
export interface Detail {
  readonly revision: number
  readonly from: string | null
  readonly to: string | null
  readonly made: number | null
  readonly restored: number | null
  readonly redirect: string | null
  readonly name: string | null
  readonly role: string | null
  /** Of a schedule: when, and why it ended where nobody took it back. */
  readonly at: string | null
  readonly reason: string | null
  /** Of an erasure: which revisions, with commas; whether it was all. */
  readonly erased: string | null
  readonly whole: boolean
}

const DETAILS = `select revision, data->>'from' as from, data->>'to' as to, data->>'redirect' as redirect, data->>'name' as name,
    data->>'role' as role, (data->>'restored')::int as restored, data->>'at' as at, data->>'reason' as reason,
    case when type = 'Erased' then (select string_agg(r, ', ') from json_array_elements_text(data->'revisions') r) end as erased,
    type = 'Erased' and data->'whole' is not null as whole,
    case when type in ('PagePublished', 'PublishScheduled') then (data->>'revision')::int end as made
  from events where stream = $1::uuid and revision = any($2::int[]) and type <> 'PageCreated' and data is not null`

/** Details of events of an entity, by revision. */
export async function readDetails(
  db: Db,
  entityId: string,
  revisions: readonly number[],
): Promise<Map<number, Detail>> {
  const rows = await db.rows<Detail>(DETAILS, [entityId, revisions])
  return new Map(rows.map(row => [row.revision, row]))
}

/** An event as histories and comparisons show it. @param about `previous`: the revision with content before it */
export function shownEntry(
  scene: Scene,
  entry: RevisionEntry,
  about: {
    live: number | null
    previous: number | null
    detail?: Detail | undefined
    size?: ChangeSize | undefined
    mayRestore?: boolean
  },
): ShownEntry {
  const { revision, type, at, actor, actorName, actorPath, door, note } = entry
  const content = isContent(entry)
  const { live, previous, detail, size = null, mayRestore = false } = about
  const compared = content && previous !== null ? { from: previous, to: revision } : null
  return {
    ...{ revision, type, at, note, size },
    author: actorPerson(actor, actorName, actorPath === null ? null : urlIn(scene, actorPath)),
    door: door ?? '',
    state: stateOf(entry, live),
    url: content ? urlOfRevision(scene, revision) : null,
    diffUrl: compared && viewUrl(scene, scene.path, 'diff.html', compared),
    restoreUrl:
      mayRestore && content && revision !== live ? restoreUrl(scene.path, { revision }) : null,
    detail: detail === undefined ? null : told(scene.viewer, detail),
  }
}

/** @param live the revision that readers see; null: none */
export function stateOf(entry: RevisionEntry, live: number | null): RevisionState {
  if (entry.erased) return 'erased'
  if (!isContent(entry)) return 'event'
  if (entry.revision === live) return 'live'
  return entry.draft ? 'draft' : 'past'
}

const REASONS: Readonly<Record<string, string>> = {
  'live already': 'the revision was live already',
  'path taken': 'another page was there',
}

function told(viewer: Viewer, detail: Detail): string | null {
  const { from, to, made, restored, redirect, name, role, at, reason, erased, whole } = detail
  if (from !== null && to !== null) {
    const seen = (path: string) => (mayReadPast(viewer, [path]) ? path : 'a place you may not see')
    return `from ${seen(from)} to ${seen(to)}`
  }
  if (made !== null && at !== null) return `revision ${made} goes live at ${at}`
  if (whole) return 'all that the page ever was'
  if (erased !== null) return `what revision ${erased} said`
  if (reason !== null) return REASONS[reason] ?? reason
  if (made !== null) return `revision ${made} is what readers see`
  if (restored !== null) return `brought back revision ${restored}`
  if (redirect !== null) return `readers are sent to ${redirect}`
  return name ?? role
}
