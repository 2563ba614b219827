import { listPublicationsUntil, type Publication } from '../../projections/schedules.ts'
import type { Viewer } from '../access/viewer.ts'
import type { Site } from '../commands/change.ts'
import { readState } from '../commands/states.ts'
import { type Document, documentOf } from '../content/document.ts'
import { parentPath } from '../content/path.ts'
import type { Entity } from '../content/state.ts'
import { tagKeys } from '../content/tags.ts'
import { Rm3Error } from '../errors.ts'
import type { Db } from '../pg/db.ts'
import type { AtAhead, Moment } from './at.ts'
import type { PageRecord } from './record.ts'

/** A page as a publication ahead will have made it; `data` is '{}'. */
export interface PlannedPage extends PageRecord {
  readonly title: string
  /** Predicate, object and class of each tag. */
  readonly tagged: readonly (readonly string[])[]
}

/** Publications before an instant ahead; after more nobody can be told what will be. */
const PLANNED_MAX = 1_000
/** Documents that are folded at the same time. */
const FOLDED_MAX = 4

const found = new WeakMap<AtAhead, Promise<PlannedPage[]>>()

/**
 * The pages that will be others by a time ahead, for a viewer: those that may be viewed with their drafts. To everyone else they are as
 * they are. They are looked up once for each `Moment`.
 *
 * @returns [] for a time that is not ahead
 * @throws AT_INVALID when too much is planned before it
 */
export async function listPlanned(
  site: Site,
  viewer: Viewer,
  when: Moment | null,
): Promise<PlannedPage[]> {
  if (when === null || !('ahead' in when)) return []
  let planned = found.get(when)
  if (planned === undefined) {
    planned = readPlanned(site, when)
    found.set(when, planned)
  }
  const may = ({ path }: PlannedPage) => viewer.may('view', path) && viewer.may('viewdraft', path)
  return (await planned).filter(may)
}

async function readPlanned({ db }: Site, { ahead, head }: AtAhead): Promise<PlannedPage[]> {
  const publications = await listPublicationsUntil(db, ahead, PLANNED_MAX + 1)
  if (publications.length > PLANNED_MAX) {
    const message = `at=${ahead} lies behind more than ${PLANNED_MAX} publications; ask for an earlier time`
    throw new Rm3Error('AT_INVALID', message, { at: ahead })
  }
  return foldEach(db, lastOnes(publications), (publication, entity) =>
    plannedPage(publication, entity, head),
  )
}

/** What `make` makes of the document of each planned page, which it alone has whole. */
export function readPlannedDocuments<Made>(
  { db }: Site,
  planned: readonly PlannedPage[],
  make: (of: { page: PlannedPage; document: Document }) => Made,
): Promise<Made[]> {
  return foldEach(db, planned, (page, { tip }) => make({ page, document: documentOf(tip) }))
}

async function foldEach<At extends { entityId: string; revision: number }, Made>(
  db: Db,
  revisions: readonly At[],
  make: (at: At, entity: Entity) => Made,
): Promise<Made[]> {
  const made: Made[] = []
  for (let from = 0; from < revisions.length; from += FOLDED_MAX) {
    const part = revisions.slice(from, from + FOLDED_MAX).map(async at => {
      const entity = (await readState(db, at.entityId, at.revision)) as Entity | null
      return entity === null ? [] : [make(at, entity)]
    })
    made.push(...(await Promise.all(part)).flat())
  }
  return made
}

/** Of each page the last publication. Of several that wait for a free path the first to be published gets it. */
function lastOnes(publications: readonly Publication[]): Publication[] {
  const byPath = new Map<string, Publication>()
  for (const publication of publications) {
    const { path, taken, entityId } = publication
    const other = byPath.get(path)
    if (!taken && (other === undefined || other.entityId === entityId))
      byPath.set(path, publication)
  }
  return [...byPath.values()]
}

function plannedPage(
  { entityId, path, revision, revisionId, at, actor }: Publication,
  { created, tip }: Entity,
  position: number,
): PlannedPage {
  const document = documentOf(tip)
  const { proto, hidden, summary, tags } = document
  const { title } = summary
  return {
    ...{ entityId, path, position, revision, revisionId, number: revision, proto, hidden },
    ...{ created, modified: at, touched: at, author: actor },
    title: typeof title === 'string' ? title : '',
    summary: JSON.stringify(summary),
    data: '{}',
    tags: JSON.stringify(tags),
    tagged: tagKeys(document).map(key => JSON.parse(key) as string[]),
  }
}

const COLUMNS = `entity_id, path, parent, position, revision, revision_id, number, proto, hidden, title, created, modified, touched,
  author, summary, data, tags`

/**
 * SQL of the live pages with what is planned in its place: a table of the columns of `pages` and `tagged`, the tags as JSON where they
 * are not those of `tags`.
 *
 * @param add adds a value to the statement's
 */
export function pagesWith(
  planned: readonly PlannedPage[],
  add: (value: unknown) => string,
): string {
  if (planned.length === 0) return 'pages'
  const rows = add(JSON.stringify(planned.map(rowOf)))
  return `(select ${COLUMNS}, null::json as tagged from pages
      where entity_id <> all(array(select (r->>'entity_id')::uuid from json_array_elements(${rows}::json) r))
    union all select ${COLUMNS}, tagged from json_to_recordset(${rows}::json) as r(entity_id uuid, path text collate "C",
      parent text collate "C", position bigint, revision int, revision_id uuid, number int, proto text, hidden boolean, title text,
      created timestamptz, modified timestamptz, touched timestamptz, author text, summary json, data json, tags json, tagged json))`
}

function rowOf(page: PlannedPage): object {
  const { entityId, revisionId, summary, data, tags, ...same } = page
  return {
    ...same,
    ...{ entity_id: entityId, revision_id: revisionId, parent: parentPath(page.path) },
    ...{ summary: JSON.parse(summary), data: JSON.parse(data), tags: JSON.parse(tags) },
  }
}
