import { close, type Db, defineProjection, FOREVER, find, own, put } from 'rm3'

/** Which revisions of which pages shall go live when, and between which positions that was so. */
export default defineProjection({
  name: 'schedules',
  version: 1,
  mode: 'inline',
  tables: { schedules: { column: 'entity_id' } },
  sql: `
    create table {schedules} (
      entity_id      uuid        not null,
      schedule       uuid        not null,
      revision       int         not null,
      revision_id    uuid        not null,
      at             timestamptz not null,
      actor          text        not null,
      from_position  bigint      not null,
      until_position bigint      not null,
      primary key (entity_id, schedule)
    );
    create index {schedules}_ahead on {schedules} (at) where until_position = ${FOREVER};
  `,
  step: ({ before, event, after }) => {
    if (after.kind !== 'entity') return []
    const earlier = before?.kind === 'entity' ? before.schedules : {}
    if (earlier === after.schedules) return []
    const ended = Object.keys(earlier).filter(id => own(after.schedules, id) === undefined)
    const made = Object.entries(after.schedules).filter(([id]) => own(earlier, id) === undefined)
    return [
      ...ended.map(schedule =>
        close('schedules', { entity_id: after.id, schedule }, event.position),
      ),
      ...made.map(([schedule, { revision, revisionId, at, actor }]) =>
        put('schedules', {
          ...{ entity_id: after.id, schedule, revision, revision_id: revisionId, at, actor },
          from_position: event.position,
          until_position: FOREVER,
        }),
      ),
    ]
  },
})

/** A publication that lies ahead. */
export interface ScheduleRow {
  readonly entityId: string
  readonly schedule: string
  readonly revision: number
  readonly revisionId: string
  readonly at: string
  readonly actor: string
}

const COLUMNS = `s.entity_id as "entityId", s.schedule, s.revision, s.revision_id as "revisionId", s.at, s.actor`

const AHEAD = `select ${COLUMNS} from schedules s where s.entity_id = $1::uuid and s.until_position = ${FOREVER}
  order by s.at, s.schedule`

/** What lies ahead of a page, the next first. */
export async function listSchedules(db: Db, entityId: string): Promise<ScheduleRow[]> {
  return db.rows<ScheduleRow>(AHEAD, [entityId])
}

const NEXT = `select at from schedules where until_position = ${FOREVER} order by at limit 1`

/** When the next publication of the site is due; null: none is planned. */
export async function findNextPublication(db: Db): Promise<string | null> {
  return (await find<{ at: string }>(db, NEXT))?.at ?? null
}

const DUE = `select ${COLUMNS} from schedules s where s.until_position = ${FOREVER} and s.at <= $1::timestamptz
  order by s.at, s.schedule limit $2::int`

/** The publications that are due at an instant, in their order. */
export async function listDuePublications(
  db: Db,
  instant: string,
  limit: number,
): Promise<ScheduleRow[]> {
  return db.rows<ScheduleRow>(DUE, [instant, limit])
}

/** A publication that lies ahead, of the page at a path. */
export interface Publication extends ScheduleRow {
  /** Where the page is now, or was meant to be. */
  readonly path: string
  /** Whether another page is live there now, so that this one, which was never live, cannot be. */
  readonly taken: boolean
}

const UNTIL = `select ${COLUMNS}, coalesce(p.path, u.path) as path,
    p.entity_id is null and exists (select from pages other where other.path = u.path) as taken
  from schedules s
  left join pages p on p.entity_id = s.entity_id
  left join unpublished u on u.entity_id = s.entity_id and not u.deleted
  where s.until_position = ${FOREVER} and s.at <= $1::timestamptz and coalesce(p.path, u.path) is not null
  order by s.at, s.schedule limit $2::int`

/** What shall go live by an instant, in its order. */
export async function listPublicationsUntil(
  db: Db,
  instant: string,
  limit: number,
): Promise<Publication[]> {
  return db.rows<Publication>(UNTIL, [instant, limit])
}

const AT_PATH = `with here as (
    select entity_id, true as live from pages where path = $1::text
    union all select entity_id, false from unpublished where path = $1::text and not deleted
  ), goes as (
    select s.entity_id from here join schedules s using (entity_id)
    where s.until_position = ${FOREVER} and s.at <= $2::timestamptz and (here.live or not exists (select from here where live))
    order by s.at, s.schedule limit 1
  )
  select ${COLUMNS} from goes join schedules s using (entity_id)
  where s.until_position = ${FOREVER} and s.at <= $2::timestamptz order by s.at desc, s.schedule desc limit 1`

/**
 * The publication that will have made what is at a path at an instant ahead; null when none will have. Of several pages that wait for
 * a free path the first to be published gets it.
 */
export async function findPublicationAt(
  db: Db,
  path: string,
  instant: string,
): Promise<ScheduleRow | null> {
  return find<ScheduleRow>(db, AT_PATH, [path, instant])
}
